package slipway

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/spill"
)

// maxScheduled is how many records of a topic can wait for their time. Each
// takes 40 bytes of memory; the record itself is on disk.
const maxScheduled = 1_000_000

// A timetable is what waits on disk for its time, of one topic: a queue of the
// same kind as away: spill has, and in memory when each of its records is due.
// The directory is made by the first record, so that a service which schedules
// nothing needs none.
type timetable struct {
	pipe    *pipe
	produce *contract.Produce
	opened  chan struct{} // closed once queue and carry are there

	mu    sync.Mutex
	ended bool
	queue *spill.Queue
	carry *carrier

	plan plan // of the goroutine that delivers
}

// newTimetable opens what waits from before.
func (a *App) newTimetable(q *pipe, p *contract.Produce) (*timetable, error) {
	t := &timetable{pipe: q, produce: p, opened: make(chan struct{})}
	if !a.exists(scheduledPrefix, q) {
		return t, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, t.open()
}

// open opens the queue. The lock is held.
func (t *timetable) open() error {
	a := t.pipe.app
	switch {
	case t.ended:
		return ErrNotRunning
	case t.queue != nil:
		return nil
	}
	if a.cfg.Environment.SpillDir == "" {
		return noSpillDir("a value with a due time")
	}
	queue, err := a.openQueue(scheduledPrefix, t.pipe, t.produce)
	if err != nil {
		return err
	}
	t.queue, t.carry = queue, newCarrier(t.pipe, queue, "schedule of "+t.pipe.physical)
	close(t.opened)
	return nil
}

// add puts a record on disk.
func (t *timetable) add(rec *kgo.Record, due time.Time, done func(error)) {
	t.mu.Lock()
	err := t.open()
	queue := t.queue
	t.mu.Unlock()
	switch {
	case err != nil:
		done(err)
		return
	case queue.Len() >= maxScheduled:
		done(fmt.Errorf("%w: %d records are scheduled", ErrSpillFull, maxScheduled))
		return
	}
	queue.Append([]spill.Record{onDisk(rec, due)}, func(err error) {
		if err != nil {
			err = diskFault(err)
		}
		done(err)
	})
}

// run delivers what is due until ctx ends.
func (t *timetable) run(ctx context.Context) error {
	select {
	case <-t.opened:
	case <-ctx.Done():
		return nil
	}
	defer t.carry.tell("")
	for ctx.Err() == nil {
		if err := t.learn(); err != nil {
			t.carry.complain(err)
			t.carry.pause(ctx)
			continue
		}
		items, err := t.take(time.Now())
		if err != nil {
			t.carry.complain(err)
		}
		switch {
		case len(items) > 0:
			t.carry.all(ctx, items)
		case err != nil:
			t.carry.pause(ctx)
		default:
			t.wait(ctx)
		}
	}
	return nil
}

// learn reads what was put on disk since.
func (t *timetable) learn() error {
	for {
		items, err := t.queue.Next(carryRecords, carryBytes)
		if err != nil || len(items) == 0 {
			return err
		}
		for _, it := range items {
			heap.Push(&t.plan, planned{it.Due, it.Place})
		}
	}
}

// take returns what is due, in the order of its time.
func (t *timetable) take(now time.Time) (items []spill.Item, err error) {
	for size := 0; len(t.plan) > 0 && !now.Before(t.plan[0].due) && len(items) < carryRecords && size < carryBytes; {
		next := t.plan[0]
		it, err := t.queue.Load(next.place)
		switch {
		case errors.Is(err, spill.ErrDamaged): // told by the queue
			heap.Pop(&t.plan)
			continue
		case err != nil:
			return items, err
		}
		heap.Pop(&t.plan)
		it.Time = next.due // as of when it is delivered
		items, size = append(items, it), size+len(it.Value)
	}
	return items, nil
}

// wait waits for the next record to be due, or another one to be put on disk.
func (t *timetable) wait(ctx context.Context) {
	var due <-chan time.Time
	if len(t.plan) > 0 {
		timer := time.NewTimer(time.Until(t.plan[0].due))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-t.queue.Ready():
	case <-ctx.Done():
	}
}

// close ends the table. What waits in it stays on disk.
func (t *timetable) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.queue == nil {
		return nil
	}
	t.carry.close()
	return t.queue.Close()
}

// A planned record is one that waits for its time.
type planned struct {
	due   time.Time
	place spill.Place
}

// A plan is a heap of what waits, by its time, and by its place for what is due
// at once.
type plan []planned

func (p plan) Len() int { return len(p) }
func (p plan) Less(i, j int) bool {
	return cmp.Or(p[i].due.Compare(p[j].due), p[i].place.Compare(p[j].place)) < 0
}
func (p plan) Swap(i, j int) { p[i], p[j] = p[j], p[i] }

// Push implements [heap.Interface].
func (p *plan) Push(x any) { *p = append(*p, x.(planned)) }

// Pop implements [heap.Interface].
func (p *plan) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	*p = (*p)[:last]
	return x
}
