package arm

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A tracker commits, for loops that handle out of order, the lowest offset of
// each partition that is not finished. It is what such a loop needs at least;
// it knows nothing of rebalances.
type tracker struct {
	client *kgo.Client
	topic  string
	mu     sync.Mutex
	parts  map[int32]*trackedPartition
}

type trackedPartition struct {
	mu   sync.Mutex
	next int64  // not finished
	done []bool // from next on
}

func newTracker(client *kgo.Client, topic string) *tracker {
	return &tracker{client: client, topic: topic, parts: make(map[int32]*trackedPartition)}
}

func (t *tracker) part(id int32, from int64) *trackedPartition {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.parts[id]
	if p == nil {
		p = &trackedPartition{next: from}
		t.parts[id] = p
	}
	return p
}

// begin notes records of one partition, before they are handed over.
func (t *tracker) begin(records []*kgo.Record) {
	if len(records) == 0 {
		return
	}
	p := t.part(records[0].Partition, records[0].Offset)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, make([]bool, len(records))...)
}

// finish notes that records are handled. Neighbours of one partition share the
// lock.
func (t *tracker) finish(records []*kgo.Record) {
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Partition == records[0].Partition {
			n++
		}
		t.part(records[0].Partition, 0).finish(records[:n])
		records = records[n:]
	}
}

func (p *trackedPartition) finish(records []*kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range records {
		p.done[r.Offset-p.next] = true
	}
	n := 0
	for n < len(p.done) && p.done[n] {
		n++
	}
	p.done = p.done[n:]
	p.next += int64(n)
}

// commitEvery commits until ctx ends.
func (t *tracker) commitEvery(ctx context.Context) {
	tick := time.NewTicker(CommitInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.client.CommitOffsetsSync(ctx, t.offsets(), nil)
		}
	}
}

func (t *tracker) offsets() map[string]map[int32]kgo.EpochOffset {
	t.mu.Lock()
	defer t.mu.Unlock()
	offsets := make(map[int32]kgo.EpochOffset)
	for id, p := range t.parts {
		p.mu.Lock()
		offsets[id] = kgo.EpochOffset{Epoch: -1, Offset: p.next}
		p.mu.Unlock()
	}
	return map[string]map[int32]kgo.EpochOffset{t.topic: offsets}
}
