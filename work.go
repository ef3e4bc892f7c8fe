package slipway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/lane"
	"github.com/slipway-go/slipway/schema"
)

// work is one record on its way to being finished.
type work struct {
	rec       *kgo.Record
	partition *partition
	seq       uint64 // in the partition's frontier

	attempts int       // that failed
	verdict  error     // why it goes to the dead-letter topic, once that is decided
	reason   string    // the dead letter's reason
	due      time.Time // not to be tried again before
	hurdles  int       // failures that are not the record's: registry or dead-letter topic away
}

// handle runs the head of a lane: it is the only place where a record is
// handled, retried, dead-lettered or given back.
func (c *consumer) handle(key laneKey, item **work) lane.Verdict {
	w := *item
	p := w.partition
	if w.early() && p.leave(key) || !p.enter(key, w.rec.Offset) {
		c.closed(w) // given back: its next owner handles it
		return lane.Done()
	}
	verdict := c.step(key, w)
	if verdict != lane.Done() && p.leave(key) {
		verdict = lane.Done()
	}
	if verdict == lane.Done() {
		c.closed(w)
	}
	return verdict
}

// step takes a record one step further.
func (c *consumer) step(key laneKey, w *work) lane.Verdict {
	p := w.partition
	if w.verdict == nil {
		e := p.entry
		err := e.handler.attempt(p.ctx, w.rec, w.attempts+1, e.Timeout, e.reader.decode(p.ctx))
		c.hear(w, err)
		if err == nil {
			return c.finish(w)
		}
		if p.ctx.Err() != nil {
			p.leave(key)
			return lane.Done() // cut short, which is not failure: not finished, handled again elsewhere
		}
		if verdict, again := c.judge(w, err); again {
			return verdict
		}
	}
	return c.conclude(w)
}

// finish moves the frontier past a record.
func (c *consumer) finish(w *work) lane.Verdict {
	w.partition.frontier.Finish(w.seq)
	return lane.Done()
}

// judge decides what a failure means: another attempt, or (false) the end.
func (c *consumer) judge(w *work, err error) (lane.Verdict, bool) {
	e := w.partition.entry
	log := c.app.log.With("group", c.group, "topic", w.rec.Topic, "partition", w.rec.Partition, "offset", w.rec.Offset)
	if unheard(err) {
		wait := w.hurdle()
		log.Warn("schema registry does not answer, record waits", "code", diag.RuntimeRegistryDown, "wait", wait, "error", err)
		return w.again(wait), true
	}
	w.attempts++
	if _, bad := errors.AsType[*undecodable](err); bad {
		w.verdict, w.reason = err, "undecodable"
		return lane.Verdict{}, false
	}
	if Rejected(err) {
		w.verdict, w.reason = err, "rejected"
		return lane.Verdict{}, false
	}
	if w.attempts >= e.Retry.Attempts() {
		w.verdict, w.reason = err, "exhausted"
		return lane.Verdict{}, false
	}
	wait := e.Retry.Delays[w.attempts-1]
	if later, ok := errors.AsType[*postponement](err); ok {
		wait = later.delay
	}
	if p, panicked := errors.AsType[*panicked](err); panicked && w.attempts == 1 {
		log = log.With("stack", p.stack)
	}
	log.Warn("handler failed, trying again", "attempt", w.attempts, "of", e.Retry.Attempts(), "wait", wait, "error", err)
	return w.again(wait), true
}

// unheard reports whether an attempt failed because the registry gave no answer.
func unheard(err error) bool {
	return errors.Is(err, schema.ErrUnavailable) || errors.Is(err, schema.ErrUnauthorized)
}

// hear keeps health true to what an attempt tells of the registry.
func (c *consumer) hear(w *work, err error) {
	switch {
	case unheard(err):
		c.app.health.set(registryHealth, err.Error())
	case w.hurdles > 0:
		c.app.health.set(registryHealth, "")
		w.hurdles = 0
	}
}

const registryHealth = "schema registry"

// conclude does what the contract says after the last attempt.
func (c *consumer) conclude(w *work) lane.Verdict {
	p := w.partition
	log := c.app.log.With("group", c.group, "topic", w.rec.Topic, "partition", w.rec.Partition, "offset", w.rec.Offset)
	thing := p.String()
	if p.entry.Retry.Then == contract.Stop {
		c.app.health.set(thing, fmt.Sprintf("stopped at offset %d: %v", w.rec.Offset, w.verdict))
		log.Error("partition stopped, as the contract says", "code", diag.RuntimePartitionStopped, "error", w.verdict)
		p.stop()
		return lane.Done() // not finished: the frontier stays at it
	}
	err := c.bury(w)
	if err == nil {
		if w.hurdles > 0 {
			c.app.health.set(p.deadLetters(), "")
		}
		if w.reason == "undecodable" {
			log = log.With("code", diag.RuntimeUndecodable)
		}
		log.Error("record dead-lettered", "reason", w.reason, "to", p.entry.dead, "attempts", w.attempts, "error", w.verdict)
		return c.finish(w)
	}
	if p.ctx.Err() != nil {
		return lane.Done()
	}
	wait := w.hurdle()
	c.app.health.set(p.deadLetters(), err.Error())
	log.Error("dead letter could not be written, record stays open", "code", diag.RuntimeDeadLetterFailed, "to", p.entry.dead, "wait", wait, "error", err)
	return w.again(wait)
}

// bury writes a record to its dead-letter topic and returns once all in-sync
// replicas have it.
func (c *consumer) bury(w *work) error {
	client, err := c.app.deadClient()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.partition.ctx, deadLetterTimeout)
	defer cancel()
	_, err = produce(ctx, client, c.deadLetter(w))
	return err
}

const (
	deadLetterTimeout = 15 * time.Second
	maxHurdleWait     = 30 * time.Second
)

// again keeps the record at the head of its lane for another attempt.
func (w *work) again(wait time.Duration) lane.Verdict {
	w.due = time.Now().Add(wait)
	return lane.Again(wait)
}

// early reports whether the record was woken before its time.
func (w *work) early() bool { return !w.due.IsZero() && time.Now().Before(w.due) }

// hurdle counts a failure that is not the record's and returns how long to
// wait: one second, doubled each time, at most 30.
func (w *work) hurdle() time.Duration {
	wait := min(time.Second<<min(w.hurdles, 10), maxHurdleWait)
	w.hurdles++
	return wait
}

func (tp topicPartition) String() string { return fmt.Sprintf("partition %s/%d", tp.topic, tp.id) }
