package slipway

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
)

// placements are what the clients themselves do with 20,000 keys: the first
// i%33 bytes of the SHA-256 of i in decimal. Each is the SHA-256 of the
// partitions in decimal, one a line.
//
//   - java: BuiltInPartitioner.partitionForKey of kafka-clients 4.3.1
//   - sarama: NewHashPartitioner of github.com/IBM/sarama v1.61.1
//   - librdkafka: consistent_random, the default, of librdkafka 2.11.1 producing
//     to its mock cluster; keys without length are random there and left out
const placements = `
java 1 4ff729b219deacccbbc43b1b28a895d1c0319254b9b80d4da040c4a4724a7846
java 2 e6fea8d234ac8ee7b37e6f6d538f0bdd08de96ab399574047167eff4e2ea1c53
java 3 06dcb1b1f2096253d64bfddb2ba3e2b5a08fbce58a4c90a5a9b0fcd2cf0e11eb
java 7 8c7cd46875e6f164bc15974ef8f2d1477d3ada5163bad351a166d473288a7e15
java 12 79680c5f952ce43160dd1c7d96ebb33a64e7f6f8779125ff383d52f448b10deb
java 64 ec65be033aae9c2376d1c248b04b5e4d3909b1335681339dda98e07109e27a16
java 1000 a4c7e9c806868537e70711d9774480a0a8e7f28be9b0362a4241c59f1d871e75
sarama 1 4ff729b219deacccbbc43b1b28a895d1c0319254b9b80d4da040c4a4724a7846
sarama 2 943a2e88ce99e6c7b0addf5b9903d4bb3ac739a816aff8042e5f6ed0ca0cc906
sarama 3 7f1938b71200bc4556e08e17df334413ae8ff990c1af4e7e7f7bf776a7b14331
sarama 7 ad83de3e1b087d42fd05506f6b62fdc0875a6078f244eaba02b371f8682ff27d
sarama 12 348a93f70b29176c65ca41fe56002087c2786ea2b6208e461f295fc43ff394ee
sarama 64 555e4411e098f4f70dac8da9575a05e318a37ae97e4c9f4b063f1c9ce90555ae
sarama 1000 3e3161b4969daf6a711f6f911a4fdee092cebed611a5d2f882d1e79cbd6c0c62
librdkafka 1 ca59608a71cb7242595bc06ea0dfbf55c588eed6cb2725dacc6199bd389e5e95
librdkafka 2 0d968608b62d9fdf1ed5584877fa77956da261fac9e9931469be5e9a6aa7b6a6
librdkafka 3 ac5bd19e308a2566c91ceb1ef265bb78fe6b4e040738b97c70833981f39e5424
librdkafka 7 cef2c884ab11b98e2076ce2710ebd1b7c96825a9093780458f69109e1d07ea6d
librdkafka 12 81dbf3196a0e7a7d8f8c98d9d223d0706567f4e87c097e30373abc362a4d6733
librdkafka 64 82f53e3d4c3f11f8b125171ab6fec701af0d2a53230bde7cb5c1c6c990ab6137
librdkafka 1000 085e93751d3a50d6704ed7828e55c3ee8520de5ac9ce1fa06c8c8b1062dffcf8
`

func partitionerOf(kind contract.Partitioner) kgo.TopicPartitioner {
	a := &App{contract: &contract.Service{Topics: map[string]*contract.Topic{"t": {Name: "t", Partitioner: kind}}}}
	return a.newLink(contract.DefaultAlias).partitioners().ForTopic("t")
}

func TestKeysGoWhereOtherClientsPutThem(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(strings.TrimSpace(placements)) {
		var kind, want string
		var n int
		if _, err := fmt.Sscan(line, &kind, &n, &want); err != nil {
			t.Fatal(err)
		}
		if testing.Short() && n != 12 {
			continue
		}
		p, all := partitionerOf(contract.Partitioner(kind)), sha256.New()
		for i := range 20_000 {
			key := sha256.Sum256(fmt.Append(nil, i))
			rec := &kgo.Record{Key: key[:i%33]}
			if kind == "librdkafka" && len(rec.Key) == 0 {
				continue
			}
			if !p.RequiresConsistency(rec) {
				t.Fatalf("%s: key %x may go anywhere", kind, rec.Key)
			}
			fmt.Fprintf(all, "%d\n", p.Partition(rec, n))
		}
		if got := fmt.Sprintf("%x", all.Sum(nil)); got != want {
			t.Errorf("%s with %d partitions places keys elsewhere: %s, want %s", kind, n, got, want)
		}
	}
}

// A record without key goes anywhere with every client. One whose key has no
// length has a place, but with librdkafka.
func TestAKeyWithoutLengthIsOneButForLibrdkafka(t *testing.T) {
	t.Parallel()
	for kind, placed := range map[contract.Partitioner]bool{contract.Java: true, contract.Sarama: true, contract.Librdkafka: false} {
		p := partitionerOf(kind)
		if p.RequiresConsistency(&kgo.Record{}) {
			t.Errorf("%s: a record without key has a place", kind)
		}
		empty := &kgo.Record{Key: []byte{}}
		if got := p.RequiresConsistency(empty); got != placed {
			t.Errorf("%s: a key without length has a place: %v, want %v", kind, got, placed)
		}
		if n := p.Partition(empty, 12); n < 0 || n > 11 {
			t.Errorf("%s: partition %d of 12", kind, n)
		}
	}
}
