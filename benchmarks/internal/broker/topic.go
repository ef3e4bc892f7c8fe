package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Partitions is how many every topic of the benchmarks has.
const Partitions = 6

// A Topic is a backlog to be read: records of which the key is chosen at
// random, the value's first four bytes are the key's number, and the rest is
// noise that no codec makes smaller.
type Topic struct {
	Name    string
	Records int
	Size    int     // bytes of a value
	Keys    int     // how many there are
	Skew    float64 // the exponent of a Zipf distribution; 0 is uniform

	// Kept is the share of records that belong to a trace that is kept, the
	// others to one that is not, as a service writes them that is traced. At 0
	// no record belongs to any.
	Kept float64
}

// headers are those of one record, of a trace of its own.
func (t Topic) headers(random *rand.Rand) []kgo.RecordHeader {
	if t.Kept == 0 {
		return nil
	}
	flags := 0
	if random.Float64() < t.Kept {
		flags = 1
	}
	value := fmt.Appendf(nil, "00-%016x%016x-%016x-%02x", random.Uint64(), random.Uint64()|1, random.Uint64()|1, flags)
	return []kgo.RecordHeader{{Key: "traceparent", Value: value}}
}

// HotShare is the share of the records that the most frequent key has.
func (t Topic) HotShare() float64 {
	sum := 0.0
	for k := range t.Keys {
		sum += math.Pow(float64(k+1), -t.Skew)
	}
	return 1 / sum
}

// Create creates empty topics of [Partitions] partitions; one that exists is
// left as it is.
func Create(ctx context.Context, e Endpoint, names ...string) error {
	client, err := connect(e)
	if err != nil {
		return err
	}
	defer client.Close()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 30_000
	for _, name := range names {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, Partitions, 1
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && t.ErrorCode != kerr.TopicAlreadyExists.Code {
			return fmt.Errorf("create topic %s: %w", t.Topic, err)
		}
	}
	return nil
}

// A Backlog is what was written to a topic, by partition.
type Backlog struct {
	Ends []int64 // records
	Zero []int64 // those of key 0
}

// Fill creates the topic and writes its records.
func Fill(ctx context.Context, e Endpoint, t Topic) (Backlog, error) {
	b := Backlog{make([]int64, Partitions), make([]int64, Partitions)}
	if err := Create(ctx, e, t.Name); err != nil {
		return b, err
	}
	client, err := connect(e, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(0), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return b, err
	}
	defer client.Close()
	var mu sync.Mutex
	var failed error
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same backlog each time
	next := t.chooser(random)
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for range t.Records {
		key := next()
		value := append(make([]byte, 0, t.Size), noise[random.IntN(len(noise)-t.Size):][:t.Size]...)
		binary.BigEndian.PutUint32(value, uint32(key))
		client.Produce(ctx, &kgo.Record{Topic: t.Name, Key: Key(key), Value: value, Headers: t.headers(random)}, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			b.Ends[r.Partition]++
			if key == 0 {
				b.Zero[r.Partition]++
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return b, err
	}
	return b, failed
}

// Key is the key of a number, 12 bytes long.
func Key(n int) []byte { return fmt.Appendf(nil, "key-%08d", n) }

// chooser returns a function that draws keys. A Zipf exponent as near to 1 as
// 1.1 is drawn from the distribution's table; key 0 is the most frequent.
func (t Topic) chooser(random *rand.Rand) func() int {
	if t.Skew == 0 {
		return func() int { return random.IntN(t.Keys) }
	}
	upTo := make([]float64, t.Keys)
	sum := 0.0
	for k := range upTo {
		sum += math.Pow(float64(k+1), -t.Skew)
		upTo[k] = sum
	}
	return func() int { return min(sort.SearchFloat64s(upTo, random.Float64()*sum), t.Keys-1) }
}

func connect(e Endpoint, more ...kgo.Opt) (*kgo.Client, error) {
	opts, err := e.Options()
	if err != nil {
		return nil, err
	}
	return kgo.NewClient(append(opts, more...)...)
}
