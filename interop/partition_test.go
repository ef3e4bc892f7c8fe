package interop_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/IBM/sarama"
	"github.com/google/go-cmp/cmp"
	kafkago "github.com/segmentio/kafka-go"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// partitionCounts are how many partitions the topics have that keys are placed
// on: one, powers of nothing, and more than a cluster's default.
var partitionCounts = []int{1, 3, 6, 17, 100}

// placedKeys are keys of every kind: ASCII, UTF-8, binary, long, eight bytes of
// an integer, and the one without length.
func placedKeys(tb testing.TB) [][]byte {
	tb.Helper()
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	keys := make([][]byte, 0, n)
	keys = append(keys, []byte{})
	for i := 1; i < n; i++ {
		sum := sha256.Sum256(fmt.Append(nil, i))
		switch i % 5 {
		case 0:
			keys = append(keys, fmt.Appendf(nil, "order-%d", i))
		case 1:
			keys = append(keys, fmt.Appendf(nil, "注文-ключ-é-%d", i))
		case 2:
			keys = append(keys, sum[:1+i%32])
		case 3:
			keys = append(keys, []byte(strings.Repeat(fmt.Sprintf("%x", sum), 1+i%16)))
		case 4:
			keys = append(keys, binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(sum[:])))
		}
	}
	return keys
}

// item is a value that has nothing but a key of bytes.
type item struct {
	K []byte `avro:"k"`
}

const itemSchema = `{"type": "record", "name": "Item", "namespace": "interop", "fields": [{"name": "k", "type": "bytes"}]}`

func placedTopic(kind string, partitions int) string {
	return fmt.Sprintf("placer.%s.p%d.v1", kind, partitions)
}

// slipwayPlaces sends every key through a service's producer, to a cluster in
// memory, and returns the partitions that the receipts name, by number of
// partitions.
func slipwayPlaces(t *testing.T, kind string, keys [][]byte) map[int][]int32 {
	t.Helper()
	var topics, produces strings.Builder
	for _, n := range partitionCounts {
		fmt.Fprintf(&topics, "  %s: {key: {field: k, format: bytes}, partitions: %d, partitioner: %s, schema: {file: item.avsc}}\n", placedTopic(kind, n), n, kind)
		fmt.Fprintf(&produces, "  %s: {via: direct, linger: 5ms}\n", placedTopic(kind, n))
	}
	files := fstest.MapFS{
		"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: placer, owner: team}\ntopics:\n" + topics.String() + "produces:\n" + produces.String())},
		"item.avsc":    {Data: []byte(itemSchema)},
	}
	producers := make(map[int]*slipway.Producer[item])
	places := make(map[int][]int32)
	slipwaytest.Run(t, files, func(app *slipway.App) error {
		for _, n := range partitionCounts {
			producers[n] = slipway.NewProducer[item](app, placedTopic(kind, n))
		}
		return nil
	}, func(t *testing.T, _ *slipwaytest.Kit) {
		for n, p := range producers {
			at := make([]int32, len(keys))
			var sent sync.WaitGroup
			for i, key := range keys {
				sent.Add(1)
				p.SendAsync(t.Context(), &item{key}, func(r slipway.Receipt, err error) {
					defer sent.Done()
					if err != nil {
						t.Errorf("%d partitions, key %x: %v", n, key, err)
					}
					at[i] = r.Partition
				})
			}
			sent.Wait()
			places[n] = at
		}
	})
	return places
}

// samePlaces compares where keys went. Of keys that have no place with the other
// client, want is -1.
func samePlaces(t *testing.T, client string, keys [][]byte, want, got map[int][]int32) {
	t.Helper()
	compared := 0
	for _, n := range partitionCounts {
		if len(want[n]) != len(keys) || len(got[n]) != len(keys) {
			t.Fatalf("%d partitions: %s placed %d of %d keys, Slipway %d", n, client, len(want[n]), len(keys), len(got[n]))
		}
		used := make(map[int32]bool)
		for i, key := range keys {
			if want[n][i] < 0 {
				continue
			}
			compared++
			used[got[n][i]] = true
			if want[n][i] != got[n][i] {
				t.Errorf("%d partitions, key %x: %s chose %d, Slipway %d", n, key, client, want[n][i], got[n][i])
			}
		}
		if diff := cmp.Diff(n, len(used)); diff != "" {
			t.Errorf("partitions used (-want +got):\n%s", diff)
		}
	}
	t.Logf("%s and Slipway place %d keys on %v partitions alike: %d comparisons", client, len(keys), partitionCounts, compared)
}

func TestKeysLieWhereSaramaPutsThem(t *testing.T) {
	t.Parallel()
	keys := placedKeys(t)
	want := make(map[int][]int32)
	p := sarama.NewHashPartitioner("t")
	for _, n := range partitionCounts {
		for _, key := range keys {
			at, err := p.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, int32(n))
			if err != nil {
				t.Fatal(err)
			}
			want[n] = append(want[n], at)
		}
	}
	samePlaces(t, "sarama", keys, want, slipwayPlaces(t, "sarama", keys))
}

// kafka-go has a balancer for each of the three placements.
func TestKeysLieWhereKafkaGoPutsThem(t *testing.T) {
	t.Parallel()
	for kind, balancer := range map[string]kafkago.Balancer{
		"java": kafkago.Murmur2Balancer{}, "sarama": &kafkago.Hash{}, "librdkafka": kafkago.CRC32Balancer{},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			keys := placedKeys(t)[1:] // without the one that has no length
			want := make(map[int][]int32)
			for _, n := range partitionCounts {
				all := make([]int, n)
				for i := range all {
					all[i] = i
				}
				for _, key := range keys {
					want[n] = append(want[n], int32(balancer.Balance(kafkago.Message{Key: key}, all...)))
				}
			}
			samePlaces(t, fmt.Sprintf("kafka-go (%T)", balancer), keys, want, slipwayPlaces(t, kind, keys))
		})
	}
}
