//go:build kafka

package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
)

const exactRecords = 5_000

// Every record is produced once, as readers of committed records see it, while
// nodes are killed and one of two instances comes and goes.
func TestExactlyOnceHoldsWhileNodesAreKilled(t *testing.T) {
	lengthy(t)
	r := onKafka(t)
	var handled atomic.Int64
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[[]byte](app, "exact.out.v1")
		slipway.Handle(app, "exact.in.v1", func(ctx context.Context, m *slipway.Message[[]byte]) error {
			if _, err := out.Send(ctx, &m.Value); err != nil {
				return err
			}
			if m.Offset%10 == 0 && m.Attempt == 1 {
				return errors.New("not now")
			}
			handled.Add(1)
			return nil
		})
		return nil
	}
	first := r.start(t, "exact", "first", wire)
	second := r.start(t, "exact", "second", wire)
	source := client(t, r.Admin())
	done := make(chan error, 1)
	go func() {
		for i := range exactRecords {
			rec := &kgo.Record{Topic: "exact.in.v1", Key: fmt.Append(nil, i%200), Value: fmt.Append(nil, i)}
			source.Produce(context.WithoutCancel(t.Context()), rec, nil)
			<-time.After(15 * time.Millisecond) // the pace of the flow
		}
		done <- source.Flush(context.WithoutCancel(t.Context()))
	}()
	for i, n := range r.Nodes() {
		await(t, 2*time.Minute, "records to be handled", func() bool { return handled.Load() >= int64(500*(i+1)) })
		before := handled.Load()
		n.Kill()
		if before >= exactRecords {
			t.Errorf("node %d was killed when all was over: nothing is put to the test", n.ID())
		}
		await(t, 2*time.Minute, "more to be handled", func() bool { return handled.Load() >= min(before+300, exactRecords) })
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("node %d was killed at %d records, %d handled when it was back", n.ID(), before, handled.Load())
		if i == 1 {
			second.stop()
			second = r.start(t, "exact", "second", wire)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	reader := client(t, r.Admin(), kgo.ConsumeTopics("exact.out.v1"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	seen := make(map[string]int)
	total := 0
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for quiet := 0; quiet < 5 && ctx.Err() == nil; {
		poll, end := context.WithTimeout(ctx, 2*time.Second)
		records := reader.PollFetches(poll).Records()
		end()
		for _, rec := range records {
			seen[string(rec.Value)]++
		}
		if total += len(records); len(records) == 0 && len(seen) == exactRecords {
			quiet++ // nothing more may come
		}
	}
	if len(seen) != exactRecords || total != exactRecords {
		t.Errorf("%d records: %d lost, %d twice", exactRecords, exactRecords-len(seen), total-len(seen))
	}
	failed := first.log.count("SLP-TXN-003") + second.log.count("SLP-TXN-003")
	t.Logf("%d records, %d seen, %d handled; %d transactions failed or were in doubt", total, len(seen), handled.Load(), failed)
}
