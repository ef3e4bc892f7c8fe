package arm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

// A producer writes with one client library. What is common to all: every
// record is acknowledged by all in-sync replicas, batches are uncompressed and
// wait five milliseconds at most to be filled.
type producer struct {
	// send hands a record over; a nil key is none. It waits while the client's
	// buffer is full. acked is called once for each record, with its fate.
	send func(key, value []byte)

	// flush returns when every record has met its fate.
	flush func() error

	close func()
}

// produceLinger is how long a batch may wait to be filled, for every client.
const produceLinger = 5 * time.Millisecond

// Producers make the clients that produce, by name.
var Producers = map[string]func(ctx context.Context, s Spec, acked func(error)) (*producer, error){
	"franz":         franzProducer,
	"franz-headers": franzHeadersProducer,
	"slipway":       slipwayAsync,
	"sarama":        saramaProducer,
	"kafkago":       kafkagoProducer,
	"watermill":     watermillProducer,
}

const produceTimeout = 2 * time.Minute

// produce writes a number of records as fast as the client takes them. The rate
// counts from the first record to the last acknowledgement. Afterwards the
// topic must hold what was acknowledged, no more and no less.
func produce(ctx context.Context, s Spec) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	open := Producers[s.Client]
	if open == nil {
		return nil, fmt.Errorf("no client %q: confluent needs cgo and a C compiler", s.Client)
	}
	if err := broker.Create(ctx, s.Endpoint, s.Topic); err != nil {
		return nil, err
	}
	var acked, failed atomic.Int64
	p, err := open(ctx, s, func(err error) {
		if err != nil {
			failed.Add(1)
			return
		}
		acked.Add(1)
	})
	if err != nil {
		return nil, err
	}
	defer p.close()
	next := payloads(s)
	for range s.Warm {
		p.send(next())
	}
	if err := p.flush(); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	before := use(acked.Load())
	for range s.Count {
		p.send(next())
	}
	if err := p.flush(); err != nil {
		return nil, err
	}
	after := use(acked.Load())
	if n := failed.Load(); n > 0 {
		return nil, fmt.Errorf("%d records failed", n)
	}
	if want := int64(s.Count + s.Warm); acked.Load() != want {
		return nil, fmt.Errorf("%d records acknowledged, want %d", acked.Load(), want)
	}
	held, err := holds(ctx, s)
	if err == nil && held != acked.Load() {
		err = fmt.Errorf("the topic holds %d records, and %d were acknowledged", held, acked.Load())
	}
	r := Result{"rss": peakMiB()}
	r.since(before, after)
	return r, err
}

// payloads returns a function that gives one record after another: keys of a
// fixed set, values that no codec makes smaller. Nothing is made anew for a
// record, so that what is measured is the client.
func payloads(s Spec) func() (key, value []byte) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same records each time
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var keys [][]byte
	for n := range s.Keys {
		keys = append(keys, broker.Key(n))
	}
	return func() (key, value []byte) {
		at := random.IntN(len(noise) - s.Size)
		if len(keys) > 0 {
			key = keys[at%len(keys)]
		}
		return key, noise[at : at+s.Size : at+s.Size]
	}
}

// holds counts a topic's records by its end offsets.
func holds(ctx context.Context, s Spec) (int64, error) {
	client, err := franzClient(Job{Endpoint: s.Endpoint, Topic: s.Topic})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	req := kmsg.NewPtrListOffsetsRequest()
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = s.Topic
	for n := range int32(broker.Partitions) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = n, -1
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	var sum int64
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return 0, shard.Err
		}
		resp, ok := shard.Resp.(*kmsg.ListOffsetsResponse)
		if !ok {
			return 0, errors.New("list offsets: an answer to another request")
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				sum += p.Offset
			}
		}
	}
	return sum, nil
}
