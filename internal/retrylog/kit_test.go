package retrylog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/internal/retrylog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	topic      = "svc-inventory-prod.orders.retry"
	partitions = 4
)

// A kit is a log on a cluster of three nodes, in virtual time.
type kit struct {
	t    *testing.T
	fake *kfake.Cluster
	log  *retrylog.Log
	opts []kgo.Opt

	mu       sync.Mutex
	troubles []string // "3: cause", or "3: fine"
}

// withKit runs a test against a log; the cluster's options come first.
func withKit(t *testing.T, cluster []kfake.Opt, change func(*retrylog.Config), test func(k *kit)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := new(kfake.VirtualNetwork)
		fake, err := kfake.NewCluster(append([]kfake.Opt{
			kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.SeedTopics(partitions, topic), kfake.ListenFn(network.Listen),
		}, cluster...)...)
		if err != nil {
			t.Fatal(err)
		}
		defer fake.Close()
		k := &kit{t: t, fake: fake, opts: []kgo.Opt{kgo.SeedBrokers(fake.ListenAddrs()...), kgo.Dialer(network.DialContext)}}
		cfg := retrylog.Config{Client: k.opts, Trouble: k.trouble}
		if change != nil {
			change(&cfg)
		}
		if k.log, err = retrylog.Open(cfg); err != nil {
			t.Fatal(err)
		}
		defer k.log.Close()
		test(k)
	})
}

func (k *kit) trouble(topic string, partition int32, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	what := "fine"
	if gap, ok := errors.AsType[*retrylog.GapError](err); ok {
		what = fmt.Sprintf("gap %d to %d", gap.From, gap.To)
	} else if answer, ok := errors.AsType[*kerr.Error](err); ok {
		what = answer.Message
	} else if err != nil {
		what = err.Error()
	}
	if topic == "" {
		what = "all: " + what
	}
	k.troubles = append(k.troubles, fmt.Sprintf("%d: %s", partition, what))
}

// told returns what Trouble was told since the last time.
func (k *kit) told() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	told := k.troubles
	k.troubles = nil
	return told
}

func (k *kit) requireTold(want ...string) {
	k.t.Helper()
	if got := k.told(); !slices.Equal(slices.Compact(got), want) {
		k.t.Errorf("Trouble was told %q, want %q", got, want)
	}
}

// append writes numbered records to a partition and returns their offsets.
func (k *kit) append(partition int32, from, n int) []int64 {
	k.t.Helper()
	offsets := make([]int64, n)
	var all sync.WaitGroup
	for i := range n {
		all.Add(1)
		k.log.Append(k.t.Context(), numbered(partition, from+i), func(rec *kgo.Record, err error) {
			defer all.Done()
			offsets[i] = rec.Offset
			if err != nil {
				k.t.Errorf("append: %v", err)
			}
		})
	}
	all.Wait()
	return offsets
}

func numbered(partition int32, i int) *kgo.Record {
	return &kgo.Record{
		Topic: topic, Partition: partition, Key: fmt.Appendf(nil, "key-%d", i%7), Value: fmt.Appendf(nil, "%d/%d", partition, i),
		Headers: []kgo.RecordHeader{{Key: "slipway-attempt", Value: fmt.Append(nil, i)}},
	}
}

// A book collects what a follower reads.
type book struct {
	mu     sync.Mutex
	values []string
	last   int64
	bad    error
}

func (b *book) add(rec *kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.values) > 0 && rec.Offset <= b.last {
		b.bad = fmt.Errorf("offset %d after %d", rec.Offset, b.last)
	}
	b.last = rec.Offset
	b.values = append(b.values, string(rec.Value))
}

func (b *book) require(t *testing.T, want []string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bad != nil {
		t.Error(b.bad)
	}
	if !slices.Equal(b.values, want) {
		t.Errorf("read %d records %.200q, want %d: %.200q", len(b.values), b.values, len(want), want)
	}
}

func values(partition int32, from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("%d/%d", partition, i))
	}
	return all
}

var fromStart = kgo.EpochOffset{Offset: -1, Epoch: -1}

func at(offset int64) kgo.EpochOffset { return kgo.EpochOffset{Offset: offset, Epoch: -1} }

// wait lets time pass.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (k *kit) move(partition, to int32) {
	k.t.Helper()
	if err := k.fake.MoveTopicPartition(topic, partition, to); err != nil {
		k.t.Fatal(err)
	}
}

// elsewhere moves a partition to another node.
func (k *kit) elsewhere(partition int32) {
	k.t.Helper()
	k.move(partition, (k.fake.LeaderFor(topic, partition)+1)%3)
}

func (k *kit) trim(partition int32, offset int64) {
	k.t.Helper()
	if err := k.log.DeleteBelow(k.t.Context(), topic, partition, offset); err != nil {
		k.t.Fatal(err)
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
