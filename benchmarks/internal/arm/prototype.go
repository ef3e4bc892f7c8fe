package arm

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The two prototypes are what a good Go team writes on top of franz-go when
// order per key is enough. Neither handles retries, revoked partitions or
// failures: they show what the technique costs, not what a runtime costs.

// maxOpen bounds what a prototype holds in memory.
const maxOpen = 60_000

var seed = maphash.MakeSeed()

// franzHash spreads keys over as many lanes as there may be records in flight:
// cheap, because whole batches are handed over, but a slow record holds up
// every key of its lane.
func franzHash(ctx context.Context, j Job) error {
	client, err := franzClient(j, kgo.DisableAutoCommit())
	if err != nil {
		return err
	}
	defer client.Close()
	t := newTracker(client, j.Topic)
	go t.commitEvery(ctx)
	lanes := make([]chan []*kgo.Record, j.InFlight)
	var all sync.WaitGroup
	defer all.Wait()
	for i := range lanes {
		lanes[i] = make(chan []*kgo.Record, 4)
		all.Go(func() { serveBatches(ctx, lanes[i], j, t) })
	}
	for {
		fetches := client.PollRecords(ctx, 10_000)
		if err := fetches.Err(); err != nil {
			return err
		}
		batches := make([][]*kgo.Record, len(lanes))
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			t.begin(p.Records)
			for _, r := range p.Records {
				lane := maphash.Bytes(seed, r.Key) % uint64(len(lanes))
				batches[lane] = append(batches[lane], r)
			}
		})
		for i, batch := range batches {
			if len(batch) == 0 {
				continue
			}
			select {
			case lanes[i] <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// serveBatches handles batches and finishes each as a whole.
func serveBatches(ctx context.Context, lane <-chan []*kgo.Record, j Job, t *tracker) {
	for {
		select {
		case batch := <-lane:
			for _, r := range batch {
				_ = j.Handle(Record{r.Partition, r.Offset, r.Value})
				if ctx.Err() != nil {
					return
				}
			}
			t.finish(batch)
		case <-ctx.Done():
			return
		}
	}
}

// franzKey gives every key a queue of its own, so that a slow record holds up
// nothing but its key.
func franzKey(ctx context.Context, j Job) error {
	client, err := franzClient(j, kgo.DisableAutoCommit())
	if err != nil {
		return err
	}
	defer client.Close()
	t := newTracker(client, j.Topic)
	go t.commitEvery(ctx)
	q := &keyQueues{job: j, tracker: t, queues: make(map[string]*keyQueue), idle: j.InFlight}
	q.room.L = &q.mu
	q.work.L = &q.mu
	stop := context.AfterFunc(ctx, q.stop)
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for range j.InFlight {
		all.Go(q.serve)
	}
	for {
		fetches := client.PollRecords(ctx, 10_000)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			t.begin(p.Records)
			q.add(p.Records)
		})
	}
}

type keyQueues struct {
	job     Job
	tracker *tracker

	mu         sync.Mutex
	room, work sync.Cond
	queues     map[string]*keyQueue
	ready      []*keyQueue // whose head may run
	open, idle int
	stopped    bool
}

type keyQueue struct {
	key     string
	records []*kgo.Record
}

// add queues records and wakes as many workers as are needed.
func (q *keyQueues) add(records []*kgo.Record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.open >= maxOpen && !q.stopped {
		q.room.Wait()
	}
	q.open += len(records)
	for _, r := range records {
		k := q.queues[string(r.Key)]
		if k == nil {
			k = &keyQueue{key: string(r.Key)}
			q.queues[k.key] = k
			q.ready = append(q.ready, k)
		}
		k.records = append(k.records, r)
	}
	for range min(len(q.ready), q.idle) {
		q.work.Signal()
	}
}

// serve runs the heads of ready queues until it is stopped.
func (q *keyQueues) serve() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.ready) == 0 && !q.stopped {
			q.work.Wait()
		}
		if q.stopped {
			return
		}
		q.idle--
		k := q.ready[0]
		q.ready = q.ready[1:]
		head := k.records[:1]
		q.mu.Unlock()
		_ = q.job.Handle(Record{head[0].Partition, head[0].Offset, head[0].Value})
		q.tracker.finish(head)
		q.mu.Lock()
		q.idle++
		q.advance(k)
	}
}

// advance drops a queue's head. The lock is held.
func (q *keyQueues) advance(k *keyQueue) {
	if q.open--; q.open == maxOpen/2 {
		q.room.Signal()
	}
	if k.records = k.records[1:]; len(k.records) == 0 {
		delete(q.queues, k.key)
		return
	}
	q.ready = append(q.ready, k)
}

func (q *keyQueues) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.room.Broadcast()
	q.work.Broadcast()
}
