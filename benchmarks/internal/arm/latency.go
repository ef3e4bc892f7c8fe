package arm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

const latencySize = 100

// latency measures from the moment a record was to be sent to its handler. The
// schedule is fixed beforehand (an open loop), so a client that stalls is
// charged for every record that the stall held up.
func latency(ctx context.Context, s Spec) (Result, error) {
	if err := broker.Create(ctx, s.Endpoint, s.Topic); err != nil {
		return nil, err
	}
	total := int(float64(s.Rate) * (s.Warmup + s.Window).Seconds())
	warm := int(float64(s.Rate) * s.Warmup.Seconds())
	took := make([]int64, total)
	var handled atomic.Int64
	all := make(chan struct{})
	handle := func(r Record) error {
		n := binary.BigEndian.Uint32(r.Value)
		due := int64(binary.BigEndian.Uint64(r.Value[4:]))
		took[n] = time.Now().UnixNano() - due
		if handled.Add(1) == int64(total) {
			close(all)
		}
		return nil
	}
	var before, after usage
	err := runUntil(ctx, s, handle, func(ctx context.Context) error {
		send, closeProducer, err := newSender(ctx, s)
		if err != nil {
			return err
		}
		defer closeProducer()
		if err := pause(ctx, 2*time.Second); err != nil { // every client is in its group by then
			return err
		}
		sendAll(ctx, s, total, func(n int) {
			if n == warm {
				before = use(handled.Load())
			}
		}, send)
		select {
		case <-all:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Second):
			return fmt.Errorf("handled %d of %d records", handled.Load(), total)
		}
		after = use(handled.Load())
		return nil
	})
	if err != nil {
		return nil, err
	}
	took = took[warm:]
	slices.Sort(took)
	at := func(share float64) float64 { return float64(took[int(share*float64(len(took)-1))]) / 1e6 }
	r := Result{"p50": at(0.50), "p99": at(0.99), "p999": at(0.999), "rss": peakMiB()}
	r["cores"] = (after.cpu - before.cpu).Seconds() / after.at.Sub(before.at).Seconds()
	return r, nil
}

// sendAll sends each record when it is due, or at once if that has passed.
func sendAll(ctx context.Context, s Spec, total int, sending func(n int), send func(key int, value []byte)) {
	began := time.Now()
	gap := time.Second / time.Duration(s.Rate)
	for n := 0; n < total && ctx.Err() == nil; {
		due := began.Add(time.Duration(n) * gap)
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		for ; n < total && !time.Now().Before(began.Add(time.Duration(n)*gap)); n++ {
			sending(n)
			value := make([]byte, latencySize)
			binary.BigEndian.PutUint32(value, uint32(n))
			binary.BigEndian.PutUint64(value[4:], uint64(began.Add(time.Duration(n)*gap).UnixNano()))
			send(n%s.Keys, value)
		}
	}
}

// newSender makes what sends: franz-go with the spec's linger, or Slipway's
// producer for an arm whose name says so.
func newSender(ctx context.Context, s Spec) (send func(int, []byte), closeSender func(), err error) {
	if s.Linger < 0 {
		return slipwaySender(ctx, s)
	}
	opts, err := s.Endpoint.Options()
	if err != nil {
		return nil, nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.ProducerLinger(s.Linger), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err != nil {
		return nil, nil, err
	}
	return func(key int, value []byte) {
		client.Produce(ctx, &kgo.Record{Topic: s.Topic, Key: broker.Key(key), Value: value}, nil)
	}, client.Close, nil
}

const producingManifest = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s-out, owner: team-bench}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  %[2]s: {partitions: 6, key: none}
produces:
  %[2]s: {via: direct}
`

// slipwaySender sends through Slipway's own producer. A call waits for its
// acknowledgement, so each has a goroutine, as each request of a server has.
func slipwaySender(ctx context.Context, s Spec) (func(int, []byte), func(), error) {
	app, err := newApp(s.Endpoint, "out", fmt.Sprintf(producingManifest, s.Run, s.Topic))
	if err != nil {
		return nil, nil, err
	}
	producer := slipway.NewProducer[[]byte](app, s.Topic)
	started := make(chan struct{})
	app.OnStart("benchmark", func(context.Context) error { close(started); return nil })
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = app.Run(ctx)
	}()
	select {
	case <-started:
	case <-ended:
		stop()
		return nil, nil, errors.Join(errors.New("the producing app ended"), err)
	}
	send := func(_ int, value []byte) {
		go func() { _, _ = producer.Send(ctx, &value) }() // what is lost is noticed by its absence
	}
	return send, func() { stop(); <-ended }, nil
}
