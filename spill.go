package slipway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/spill"
)

// ErrSpillFull reports that what waits on disk has reached the cap of the
// contract's spill, in bytes or in age: nothing of it is given up for what
// comes. It is an [ErrBufferFull] too, and the value was not written.
var ErrSpillFull = fmt.Errorf("spill has reached its cap: %w", ErrBufferFull)

// A spillway is away: spill for one topic. From when a record could not go until
// all that was put on disk is acknowledged, every record of the topic goes
// through the queue: so the records of a key stay in order across the boundary,
// whichever side of it they are on.
//
// Before them go the records that are in the client's buffer when spilling
// begins: a replay comes behind them in the same buffer.
type spillway struct {
	pipe   *pipe
	queue  *spill.Queue
	carry  *carrier
	age    time.Duration // that the oldest may have
	counts spillCounts
	kick   chan struct{} // an append has failed: there may be nothing to wait for

	refuses  atomic.Bool // the last record found the cap reached
	mu       sync.Mutex
	spilling bool
}

// spillCounts is what a spillway counts.
type spillCounts struct{ spilled, full, failed atomic.Int64 }

func newSpillway(q *pipe, queue *spill.Queue, age time.Duration) *spillway {
	return &spillway{
		pipe: q, queue: queue, carry: newCarrier(q, queue, "spill of "+q.physical), age: age,
		kick: make(chan struct{}, 1), spilling: queue.Len() > 0,
	}
}

// take implements [fallback].
func (s *spillway) take(ctx context.Context, rec *kgo.Record, away bool, done func(*kgo.Record, error)) bool {
	took, err := s.accept(ctx, rec, away, done)
	if err != nil {
		done(rec, err)
	}
	return took
}

// accept appends a record, under the lock so that records are on disk in the
// order of the sends.
func (s *spillway) accept(ctx context.Context, rec *kgo.Record, away bool, done func(*kgo.Record, error)) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.spilling && !away {
		return false, nil
	}
	if ctx.Err() != nil {
		return true, fmt.Errorf("%w: %w", ErrAway, context.Cause(ctx))
	}
	if age := s.carry.age(time.Now()); age > s.age {
		s.counts.full.Add(1)
		s.refuses.Store(true)
		return true, fmt.Errorf("%w: the oldest record waits for %v, and the contract says %v", ErrSpillFull, age.Round(time.Second), s.age)
	}
	if !s.spilling {
		s.spilling = true
		s.pipe.link.log.Warn("records go to disk", "code", diag.SpillBegan, "topic", s.pipe.physical)
	}
	s.queue.Append([]spill.Record{onDisk(rec, time.Time{})}, func(err error) { s.appended(rec, err, done) })
	return true, nil
}

// appended tells the sender what became of its record.
func (s *spillway) appended(rec *kgo.Record, err error, done func(*kgo.Record, error)) {
	rec.Partition, rec.Offset = -1, -1
	if err == nil {
		s.counts.spilled.Add(1)
		s.refuses.Store(false)
		done(rec, nil)
		return
	}
	if errors.Is(err, spill.ErrFull) {
		s.counts.full.Add(1)
		s.refuses.Store(true)
	} else {
		s.counts.failed.Add(1)
		s.pipe.link.log.Error("record could not be put on disk", "code", diag.SpillFailed, "topic", s.pipe.physical, "error", err)
	}
	done(rec, diskFault(err))
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// diskFault is what an append's error means to a sender. What the disk refused
// may be there nevertheless once the process has crashed.
func diskFault(err error) error {
	switch {
	case errors.Is(err, spill.ErrFull):
		return fmt.Errorf("%w: %w", ErrSpillFull, err)
	case errors.Is(err, spill.ErrClosed):
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	return fmt.Errorf("%w: %w: %w", ErrUnacknowledged, ErrAway, err)
}

// replay gives what is on disk to the cluster until ctx ends.
func (s *spillway) replay(ctx context.Context) error {
	defer s.carry.tell("")
	for {
		items, err := s.queue.Next(carryRecords, carryBytes)
		switch {
		case err != nil:
			s.carry.complain(err)
			s.carry.pause(ctx)
		case len(items) > 0:
			s.carry.all(ctx, items)
		default:
			s.drained()
			select {
			case <-s.queue.Ready():
			case <-s.kick:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// drained ends the spilling if nothing is on disk or on its way there.
func (s *spillway) drained() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spilling && s.queue.Len() == 0 {
		s.spilling = false
		s.pipe.link.log.Info("all that was on disk is written", "topic", s.pipe.physical)
	}
}

// close implements [fallback].
func (s *spillway) close() error {
	s.carry.close()
	return s.queue.Close()
}

// onDisk is a record in the form in which a queue keeps it.
func onDisk(rec *kgo.Record, due time.Time) spill.Record {
	at := rec.Timestamp
	if at.IsZero() {
		at = time.Now()
	}
	return spill.Record{Topic: rec.Topic, Key: rec.Key, Value: rec.Value, Headers: rec.Headers, Time: at, Due: due}
}
