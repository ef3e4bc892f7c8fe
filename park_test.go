package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
)

const retryTopic = "svc-shipper-dev.orders.created.v1.retry"

// release is the command that a dead letter of a parked key calls for.
func release(t *testing.T, letter *kgo.Record) slipwaytest.SendOption {
	t.Helper()
	get := func(name string) string {
		v, ok := record.Get(letter.Headers, name)
		if !ok {
			t.Fatalf("the dead letter has no header %s", name)
		}
		return v
	}
	number := func(name string) int64 {
		n, err := strconv.ParseInt(get(name), 10, 64)
		if err != nil {
			t.Fatalf("header %s: %v", name, err)
		}
		return n
	}
	return command(parking.Entry{Op: parking.Release, Key: letter.Key, Ticket: parking.Ticket{
		Life: get(record.Life), Epoch: int32(number(record.Epoch)), Offset: number(record.ErrorOffset),
	}}, int32(number(record.ErrorPartition)))
}

// command turns what is sent into a command for a retry partition.
func command(e parking.Entry, partition int32) slipwaytest.SendOption {
	return func(r *kgo.Record) {
		e.Kind = parking.Command
		*r = *parking.Encode(e, nil)
		r.Topic, r.Partition = retryTopic, partition
	}
}

func TestAParkedKeyWaitsInOrderUntilItIsReleasedAndOthersFlow(t *testing.T) {
	t.Parallel()
	var done calls
	var repaired atomic.Bool
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		if m.Value == (order{"bad", 1}) && !repaired.Load() {
			return errors.New("nobody knows this order")
		}
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(n int64) {
			for _, id := range []string{"bad", "good", "other"} {
				k.Send(orders, order{id, n}, slipwaytest.Key(id), slipwaytest.Partition(0))
			}
		}
		for n := range int64(5) {
			send(n)
		}
		k.Advance(5 * time.Minute)
		if got := amounts(done.all(), "bad"); !slices.Equal(got, []int64{0}) {
			t.Errorf("handled %v of the parked key, want only what lies before its head", got)
		}
		for _, id := range []string{"good", "other"} {
			if got := amounts(done.all(), id); len(got) != 5 {
				t.Errorf("handled %v of key %s while another key is parked, want all", got, id)
			}
		}
		if lag := k.Lag("shipper"); lag != 0 {
			t.Errorf("lag = %d while a key is parked, want none: what waits is in the retry topic", lag)
		}
		k.RequireDeadLettered("shipper", orders, 1)
		k.Stop("shipper")
		send(5)
		k.Start("shipper")
		k.Advance(5 * time.Minute)
		if got := amounts(done.all(), "bad"); !slices.Equal(got, []int64{0}) {
			t.Errorf("handled %v of the parked key after a restart", got)
		}
		repaired.Store(true)
		letter := k.Records(k.DeadLetterTopic("shipper", orders))[0]
		if reason, _ := record.Get(letter.Headers, record.Reason); reason != record.Parked {
			t.Errorf("reason = %q, want %q", reason, record.Parked)
		}
		k.SendBytes(retryTopic, nil, nil, release(t, letter))
		k.Advance(time.Minute)
		if got := amounts(done.all(), "bad"); !slices.Equal(got, []int64{0, 1, 2, 3, 4, 5}) {
			t.Errorf("handled %v of the key after its release, want all in order", got)
		}
		send(6)
		k.Advance(time.Minute)
		for _, id := range []string{"bad", "good", "other"} {
			if got := amounts(done.all(), id); len(got) != 7 || !slices.IsSorted(got) {
				t.Errorf("handled %v of key %s, want 0 to 6 in order", got, id)
			}
		}
	})
}

func TestAKeyParkedByHandWaitsUntilItIsLetGo(t *testing.T) {
	t.Parallel()
	var done calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(n int64) {
			k.Send(orders, order{"o-1", n}, slipwaytest.Key("o-1"), slipwaytest.Partition(1))
		}
		send(0)
		k.Advance(time.Second)
		k.SendBytes(retryTopic, nil, nil, command(parking.Entry{Op: parking.Park, Key: []byte("o-1")}, 1))
		k.Advance(time.Minute)
		send(1)
		send(2)
		k.Advance(time.Minute)
		k.Stop("shipper")
		k.Start("shipper")
		k.Advance(time.Minute)
		if got := amounts(done.all(), "o-1"); !slices.Equal(got, []int64{0}) {
			t.Errorf("handled %v of a key that was parked by hand, want what came before", got)
		}
		k.SendBytes(retryTopic, nil, nil, command(parking.Entry{Op: parking.Release, Key: []byte("o-1")}, 1))
		k.Advance(time.Minute)
		if got := amounts(done.all(), "o-1"); !slices.Equal(got, []int64{0, 1, 2}) {
			t.Errorf("handled %v after the key was let go, want all in order", got)
		}
	})
}

func TestAttemptsAndDelaysSurviveARestart(t *testing.T) {
	t.Parallel()
	var seen calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return errors.New("always")
	}
	slipwaytest.Run(t, files("dead-letter"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1})
		k.Advance(3 * time.Second) // two attempts are over, the third is 10 s away
		k.Stop("shipper")
		k.Start("shipper")
		k.RequireDeadLettered("shipper", orders, 1)
		var attempts []int
		for _, c := range seen.all() {
			attempts = append(attempts, c.attempt)
		}
		if !slices.Equal(attempts, []int{1, 2, 3}) {
			t.Errorf("attempts %v across a restart, want 1, 2, 3", attempts)
		}
		for i, least := range []time.Duration{time.Second, 10 * time.Second} {
			if got := seen.all()[i+1].at.Sub(seen.all()[i].at); got < least {
				t.Errorf("attempt %d came after %v, want at least %v", i+2, got, least)
			}
		}
	})
}

func TestABreakerHoldsRecordsAndBurnsNoAttempt(t *testing.T) {
	t.Parallel()
	var seen calls
	var down atomic.Bool
	down.Store(true)
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		if down.Load() {
			return slipway.Trip(errors.New("the warehouse is away"))
		}
		return nil
	}
	slipwaytest.Run(t, edited("    concurrency: 8\n", "    concurrency: 8\n    breaker: {failures: 5, open: 1m}\n"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		for n := range 50 {
			k.Send(orders, order{fmt.Sprint("o-", n), int64(n)})
		}
		k.Advance(10 * time.Minute)
		if got := len(seen.all()); got > 8+11 {
			t.Errorf("%d calls in 10 minutes of an open breaker, want the first ones and a probe a minute", got)
		}
		down.Store(false)
		k.Advance(2 * time.Minute)
		last := make(map[string]int)
		for _, c := range seen.all() {
			last[c.order] = c.attempt
		}
		if len(last) != 50 {
			t.Errorf("%d of 50 records were handled after the breaker closed", len(last))
		}
		for id, attempt := range last {
			if attempt != 1 {
				t.Errorf("%s was handled at attempt %d, want 1: an open breaker burns none", id, attempt)
			}
		}
		k.RequireDeadLettered("shipper", orders, 0)
	})
}

func TestABreakerOpensAfterFailuresInARow(t *testing.T) {
	t.Parallel()
	var seen calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		return errors.New("the warehouse is away")
	}
	slipwaytest.Run(t, edited("    concurrency: 8\n", "    concurrency: 1\n    breaker: {failures: 5, open: 1h}\n"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		for n := range 50 {
			k.Send(orders, order{fmt.Sprint("o-", n), int64(n)}, slipwaytest.Key(fmt.Sprint("o-", n)))
		}
		k.Advance(10 * time.Minute)
		if got := len(seen.all()); got != 5 {
			t.Errorf("%d calls, want 5 and then none", got)
		}
		k.RequireDeadLettered("shipper", orders, 0)
	})
}

func TestAnAttemptThatShutdownCutShortDoesNotCount(t *testing.T) {
	t.Parallel()
	var seen calls
	handle := func(ctx context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		seen.add(m)
		if m.Attempt == 2 && len(seen.all()) == 2 {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		return errors.New("not yet")
	}
	slipwaytest.Run(t, edited("timeout: 10s", "timeout: 1h"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		k.Send(orders, order{"o-1", 1})
		k.Advance(2 * time.Second)
		k.Stop("shipper")
		k.Start("shipper")
		k.Advance(time.Second)
		if all := seen.all(); len(all) < 3 || all[2].attempt > 2 {
			t.Errorf("calls %v: the attempt that was cut short has counted", all)
		}
		k.RequireDeadLettered("shipper", orders, 1)
	})
}

func TestABatchIsHandledInOrderWithAnOutcomeForEach(t *testing.T) {
	t.Parallel()
	var done calls
	var largest atomic.Int64
	wire := func(app *slipway.App) error {
		slipway.NewProducer[order](app, shipments)
		slipway.HandleBatch(app, orders, func(_ context.Context, batch []*slipway.Message[order]) []error {
			largest.Store(max(largest.Load(), int64(len(batch))))
			outcomes := make([]error, len(batch))
			for i, m := range batch {
				switch {
				case m.Value.Amount == 3 && m.Attempt == 1:
					outcomes[i] = errors.New("not yet")
				case m.Value.Amount == 7:
					outcomes[i] = slipway.Reject(errors.New("never"))
				}
				if outcomes[i] == nil {
					done.add(m)
				}
			}
			return outcomes
		})
		return nil
	}
	slipwaytest.Run(t, files("dead-letter"), wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop("shipper")
		for n := range int64(10) {
			k.Send(orders, order{"o-1", n})
			k.Send(orders, order{"o-2", n + 100})
		}
		k.Start("shipper")
		k.Advance(time.Minute)
		if largest.Load() < 5 {
			t.Errorf("the largest batch had %d messages, want several", largest.Load())
		}
		last := make(map[int64]int)
		got := amounts(done.all(), "o-1")
		for i, n := range got {
			last[n] = i
		}
		for n := int64(1); n < 10; n++ {
			if n != 7 && n != 8 && last[n] < last[n-1] {
				t.Errorf("the last outcomes of the key are out of order: %v", got)
			}
		}
		if len(last) != 9 {
			t.Errorf("handled %v of one key, want all but the rejected one", got)
		}
		k.RequireDeadLettered("shipper", orders, 1)
	})
}
