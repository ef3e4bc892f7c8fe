package retrylog_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// write sends records to partition 0 in a transaction, and ends it; nil leaves
// it open.
func (k *kit) write(id string, n int, end *kgo.TransactionEndTry) (finish func()) {
	k.t.Helper()
	client, err := kgo.NewClient(append(k.opts, kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()))...)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := client.BeginTransaction(); err != nil {
		k.t.Fatal(err)
	}
	for i := range n {
		if err := client.ProduceSync(k.t.Context(), numbered(0, i)).FirstErr(); err != nil {
			k.t.Fatal(err)
		}
	}
	finish = func() {
		defer client.Close()
		how := kgo.TryAbort
		if end != nil {
			how = *end
		}
		if err := client.EndTransaction(k.t.Context(), how); err != nil {
			k.t.Fatal(err)
		}
	}
	if end == nil {
		return finish
	}
	finish()
	return func() {}
}

func TestReachTellsHowFarNobodyMeetsARecord(t *testing.T) {
	t.Parallel()
	abort, commit := kgo.TryAbort, kgo.TryCommit
	for name, tt := range map[string]struct {
		write          func(k *kit) (finish func())
		from           int64
		committed, all int64 // how far readers of committed records come, and of all
	}{
		"an empty log":    {func(*kit) func() { return nil }, 0, 0, 0},
		"a record":        {func(k *kit) func() { k.append(0, 0, 3); return nil }, 1, 1, 1},
		"the end":         {func(k *kit) func() { k.append(0, 0, 3); return nil }, 3, 3, 3},
		"what is deleted": {func(k *kit) func() { k.append(0, 0, 9); k.trim(0, 7); return nil }, 2, 7, 7},
		"all is deleted":  {func(k *kit) func() { k.append(0, 0, 9); k.trim(0, 9); return nil }, 2, 9, 9},
		"what was aborted": {func(k *kit) func() {
			k.write("a", 3, &abort) // and a mark
			k.append(0, 0, 1)
			return nil
		}, 0, 4, 0},
		"nothing but what was aborted":    {func(k *kit) func() { k.write("a", 3, &abort); return nil }, 1, 4, 1},
		"what was aborted and what not":   {func(k *kit) func() { k.write("a", 2, &abort); k.write("a", 2, &commit); return nil }, 0, 3, 0},
		"a mark behind what is committed": {func(k *kit) func() { k.write("a", 2, &commit); return nil }, 2, 3, 3},
		"a transaction that is open": {func(k *kit) func() {
			k.write("a", 1, &abort)
			finish := k.write("b", 1, nil)
			k.append(0, 0, 1)
			return finish
		}, 0, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withKit(t, nil, nil, func(k *kit) {
				if finish := tt.write(k); finish != nil {
					defer finish()
				}
				for _, is := range []struct {
					level kgo.IsolationLevel
					want  int64
				}{{kgo.ReadCommitted(), tt.committed}, {kgo.ReadUncommitted(), tt.all}} {
					if got, err := k.log.Reach(within(k.t, time.Minute), topic, 0, tt.from, is.level); got != is.want || err != nil {
						k.t.Errorf("Reach(%d, %v) = %d, %v, want %d", tt.from, is.level, got, err, is.want)
					}
				}
			})
		})
	}
}
