package slipway_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// remake deletes a topic and makes another one of its name.
func remake(t *testing.T, k *slipwaytest.Kit, topic string) {
	t.Helper()
	n := len(k.Kafka().PartitionInfos(topic))
	if err := k.Kafka().DeleteTopic(topic); err != nil {
		t.Fatal(err)
	}
	if err := k.Kafka().CreateTopic(topic, int32(n), nil); err != nil {
		t.Fatal(err)
	}
}

func TestARetryTopicMadeAnewWhileAPartitionIsOpenedDoesNotHoldItUp(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	fine := func(context.Context, job) error { return nil }
	slipwaytest.Run(t, consuming("retry: {delays: [6s]}"), s.wire(fine), func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(5 * time.Second)
		k.Stop(worker)
		slow := k.FailRequests(kmsg.Fetch, kerr.KafkaStorageError, -1, jobsRetry)
		k.Start(worker)
		k.Advance(10 * time.Second) // the log is marked and not read
		remake(t, k, jobsRetry)
		if slow.Hits() == 0 {
			t.Fatal("nothing was read: the fault did not happen")
		}
		slow.Remove()
		k.Advance(time.Minute)
		s.send(k, numbered(6)...)
		k.Advance(time.Minute)
		if s.done() != 6 || k.Ready(worker) != nil {
			t.Errorf("%d of 6 records were handled, Ready() = %v", s.done(), k.Ready(worker))
		}
	})
}

func TestAPartitionThatTheContractStoppedIsNotOpenedAgain(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	refuse := func(_ context.Context, j job) error {
		if j.key == "bad" {
			return slipway.Reject(errors.New("refused"))
		}
		return nil
	}
	slipwaytest.Run(t, consuming("retry: {delays: [6s], then: stop}"), s.wire(refuse), func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(5 * time.Second)
		s.send(k, "bad")
		k.Advance(time.Minute)
		remake(t, k, jobsRetry)
		k.Advance(5 * time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := s.attempts["bad#1"]; n != 1 {
			t.Errorf("the record that stopped its partition was handled %d times, want once", n)
		}
		if k.Ready(worker) == nil {
			t.Error("Ready() = nil while a partition stands still")
		}
	})
}

// What the service remembers of the retry topic is of the one before.
func TestARecordBroughtBackIsItselfThoughTheRetryTopicWasMadeAnew(t *testing.T) {
	t.Parallel()
	var done calls
	var mended atomic.Bool
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		switch {
		case m.Value.OrderID == "parked":
			return slipway.Park(errors.New("for somebody to look at"))
		case !mended.Load():
			return slipway.Reject(errors.New("refused"))
		}
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(key, id string, n int64) {
			k.Send(orders, order{id, n}, slipwaytest.Key(key), slipwaytest.Partition(0))
		}
		for n := range int64(10) { // copies at many offsets
			send("parked", "parked", n)
		}
		send("back", "back", 7)
		k.Advance(10 * time.Second)
		mended.Store(true)
		remake(t, k, retryTopic)
		k.Advance(time.Minute)
		k.Redrive("shipper", orders)
		k.Advance(time.Minute)
		if got := amounts(done.all(), "back"); !slices.Equal(got, []int64{7}) || len(done.all()) != 1 {
			t.Errorf("handled %v, want the record that was brought back and no other", done.all())
		}
	})
}
