package slipway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/lane"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// work is one record on its way to being finished. It is small and copied; what
// most records never need is behind the pointer.
type work struct {
	rec       *kgo.Record
	partition *partition
	seq       uint64 // in the partition's frontier; nothing for a head of the retry topic
	*trouble
}

// trouble is what is known of a record that was not finished at once.
type trouble struct {
	head    *head         // it comes from the retry topic
	fails   int           // attempts that failed
	first   time.Time     // when the first one failed
	verdict error         // why it will not be tried again, once that is decided
	reason  string        // the dead letter's reason
	due     time.Time     // not to be tried again before
	life    string        // of a record that has no ticket
	hurdles int           // times that it waited for what is not its fault
	deaf    bool          // the registry did not answer the last time
	sent    []*kgo.Record // what is written in a transaction once the record is finished
	span    trace.Span    // of the last attempt
}

// troubled returns what is known of the record's trouble, to be written to.
func (w *work) troubled() *trouble {
	if w.trouble == nil {
		w.trouble = new(trouble)
	}
	return w.trouble
}

// attempt is the span of the last attempt, where one is noted.
func (w work) attempt() trace.Span {
	if w.trouble == nil {
		return nil
	}
	return w.span
}

// failed is how many attempts have failed.
func (w work) failed() int {
	if w.trouble == nil {
		return 0
	}
	return w.fails
}

// early reports whether the record was woken before its time.
func (w work) early() bool {
	return w.trouble != nil && !w.due.IsZero() && time.Now().Before(w.due)
}

// decided reports whether the record will not be handled again.
func (w work) decided() bool { return w.trouble != nil && w.verdict != nil }

// A fate is what becomes of a record for now.
type fate struct {
	state state
	wait  time.Duration // of one that is tried again
}

type state uint8

const (
	finished state = iota // nothing is left to do
	returned              // it is given back: its next owner handles it
	handed                // it goes on elsewhere: the retry topic has it, or will have it
	waiting               // it stays at the head of its lane and is tried again after the wait
	holding               // it stays at the head of its lane until somebody wakes it
	pending               // no more than a question: the handler has to be asked
)

// handle runs the head of a lane: with what follows for batches, it is the only
// place where a record is handled, retried, dead-lettered or given back.
func (c *consumer) handle(_ uint64, items []work) lane.Verdict {
	w := &items[0]
	e := w.partition.entry
	if e.handler.many != nil {
		return c.handleBatch(e, items)
	}
	f := c.before(w)
	if f.state == pending {
		f = c.call(e, w)
	}
	switch f.state {
	case waiting:
		return lane.Again(f.wait)
	case holding:
		return lane.Hold()
	case handed:
		return lane.Done()
	}
	c.closed(w)
	return lane.Done()
}

// before decides what can be decided of a record without its handler.
func (c *consumer) before(w *work) fate {
	p := w.partition
	switch {
	case p.ended.Load():
		return p.giveBack(w)
	case w.early():
		return fate{waiting, time.Until(w.due)}
	case w.decided():
		return c.conclude(w)
	}
	if p.yard != nil {
		if f := p.yard.arrive(w); f.state != pending {
			return f
		}
	}
	return fate{state: pending}
}

// call hands a record to its handler and acts on the outcome.
func (c *consumer) call(e *entry, w *work) fate {
	attempt, ok := e.admit(c, w.partition, w.rec.Key)
	if !ok {
		return fate{state: holding}
	}
	attempt.span = c.trace(e, w)
	err := attempt.one(*w)
	attempt.end(w.failed()+1, err)
	w.keep(attempt.sends, err)
	if attempt.span != nil {
		return c.traced(attempt.span, w, err)
	}
	return c.after(w, err)
}

// after acts on the outcome of a handler's call.
func (c *consumer) after(w *work, err error) fate {
	if err == nil && w.trouble == nil {
		return c.succeed(w)
	}
	c.hear(w, err)
	if err == nil {
		return c.succeed(w)
	}
	if w.partition.ctx.Err() != nil {
		return w.partition.giveBack(w) // cut short, which is not failure: not finished, handled again elsewhere
	}
	return c.judge(w, err)
}

// succeed notes that a record was handled.
func (c *consumer) succeed(w *work) fate {
	w.partition.entry.meter.processed(resultOK, 1)
	return c.finish(w)
}

// tripped keeps a record whose handler found what it depends on away, without
// an attempt: until the breaker lets it through, or where there is none, for a
// while.
func (c *consumer) tripped(w *work) fate {
	if w.partition.entry.Breaker != nil {
		return fate{state: holding}
	}
	return w.again(w.hurdle())
}

// finish notes that a record is done.
func (c *consumer) finish(w *work) fate {
	if m := w.partition.entry.meter; m.freshness != nil {
		m.finished(w.attempt(), time.Since(w.rec.Timestamp))
	}
	if c.session != nil {
		return c.session.finish(w)
	}
	if w.fromRetry() {
		w.partition.yard.settle(w)
	} else {
		w.partition.frontier.Finish(w.seq)
	}
	return fate{state: finished}
}

// judge decides what a failure means: another attempt, now or later, or the end.
func (c *consumer) judge(w *work, err error) fate {
	p := w.partition
	e := p.entry
	t := w.troubled()
	log := c.logOf(w)
	switch {
	case unheard(err):
		wait := w.hurdle()
		t.deaf = true
		log.Warn("schema registry does not answer, record waits", "code", diag.RuntimeRegistryDown, "wait", wait, "error", err)
		return w.again(wait)
	case refusedHandler(err):
		return w.again(min(w.hurdle(), deniedWait))
	case is[*trip](err):
		log.Warn("handler tripped the breaker, record waits", "error", err)
		return c.tripped(w)
	case is[*skip](err):
		log.Warn("record skipped by its handler", "error", err)
		e.meter.processed(resultSkipped, 1)
		return c.finish(w)
	}
	t.fails++
	if t.first.IsZero() {
		t.first = time.Now()
	}
	switch {
	case is[*undecodable](err):
		return c.decide(w, err, record.Undecodable)
	case is[*parked](err) && p.yard != nil:
		return c.decide(w, err, record.Parked)
	case is[*parked](err), !Retryable(err):
		return c.decide(w, err, record.Rejected)
	}
	wait, more := next(e.Retry, t.fails, time.Since(t.first))
	if !more {
		return c.decide(w, err, record.Exhausted)
	}
	if later, ok := errors.AsType[*postponement](err); ok {
		wait = later.delay
		if budget := e.Retry.Budget(); budget > 0 && time.Since(t.first)+wait > budget {
			return c.decide(w, err, record.Exhausted)
		}
	}
	if p, panicked := errors.AsType[*panicked](err); panicked && t.fails == 1 {
		log = log.With("stack", p.stack)
	}
	log.Warn("handler failed, trying again", "attempt", t.fails, "of", e.Retry.Attempts(), "wait", wait, "error", err)
	e.meter.processed(resultRetried, 1)
	if wait > e.Retry.InPlace && p.yard != nil {
		return p.yard.postpone(w, wait)
	}
	return w.again(wait)
}

// decide notes that a record will not be handled again, and acts on it.
func (c *consumer) decide(w *work, err error, reason string) fate {
	w.verdict, w.reason = err, reason
	if reason == record.Exhausted && w.partition.entry.Retry.Then == contract.Park && w.partition.yard != nil {
		w.reason = record.Parked
	}
	return c.conclude(w)
}

// conclude does what the contract says after the last attempt.
func (c *consumer) conclude(w *work) fate {
	p := w.partition
	log := c.logOf(w)
	if p.entry.Retry.Then == contract.Stop {
		c.halt(p, fmt.Errorf("offset %d: %w", w.rec.Offset, w.verdict))
		return p.giveBack(w) // not finished: the frontier stays at it
	}
	if err := c.bury(w); err != nil {
		if p.ctx.Err() != nil {
			return p.giveBack(w)
		}
		wait := c.app.wait(w.hurdle(), err)
		if !c.silent(p.deadLetters(), err) {
			log.Error("dead letter could not be written, record stays open", "code", diag.RuntimeDeadLetterFailed, "to", p.entry.dead, "wait", wait, "error", err)
		}
		c.tell(p.deadLetters(), err.Error())
		return w.again(wait)
	}
	if w.hurdles > 0 {
		c.tell(p.deadLetters(), "")
	}
	p.entry.meter.deadLettered(w.reason)
	p.entry.meter.processed(resultOfReason(w.reason), 1)
	if w.reason == record.Parked {
		log.Error("key parked", "to", p.entry.dead, "attempts", w.fails, "error", w.verdict)
		return p.yard.park(w)
	}
	if w.reason == record.Undecodable {
		log = log.With("code", diag.RuntimeUndecodable)
	}
	log.Error("record dead-lettered", "reason", w.reason, "to", p.entry.dead, "attempts", w.fails, "error", w.verdict)
	return c.finish(w)
}

// halt ends a partition where it stands, until it is assigned or opened anew.
func (c *consumer) halt(p *partition, why error) {
	c.halted(p.String(), "stopped at "+why.Error())
	c.link.log.Error("partition stopped", "code", diag.RuntimePartitionStopped, "group", c.group, "topic", p.topic, "partition", p.id, "error", why)
	p.stop()
}

// bury writes a record to its dead-letter topic and returns once all in-sync
// replicas have it.
func (c *consumer) bury(w *work) error {
	letter := c.deadLetter(w)
	if c.session != nil {
		hold(letter, c.traceDead(w, letter))
		w.sent = []*kgo.Record{letter} // together with its offset
		return nil
	}
	client, err := c.link.deadClient()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.partition.ctx, deadLetterTimeout)
	defer cancel()
	span := c.traceDead(w, letter)
	written, err := c.link.write(ctx, client, &c.link.denials.buries, letter)
	endSend(span, written, err)
	return err
}

const (
	deadLetterTimeout = 15 * time.Second
	maxHurdleWait     = 30 * time.Second
)

// giveBack leaves a record to the partition's next owner.
func (p *partition) giveBack(w *work) fate {
	if w.fromRetry() {
		p.yard.release(w)
	}
	return fate{state: returned}
}

// unheard reports whether an attempt failed because the registry gave no answer.
func unheard(err error) bool {
	return errors.Is(err, schema.ErrUnavailable) || errors.Is(err, schema.ErrUnauthorized)
}

const registryHealth = "schema registry"

// hear keeps health true to what an attempt tells of the registry.
func (c *consumer) hear(w *work, err error) {
	switch {
	case unheard(err):
		c.link.tell(shared, registryHealth, err.Error())
	case w.trouble != nil && w.deaf:
		c.link.tell(shared, registryHealth, "")
		w.deaf, w.hurdles = false, 0
	}
}

// again keeps the record at the head of its lane for another attempt.
func (w *work) again(wait time.Duration) fate {
	w.troubled().due = time.Now().Add(wait)
	return fate{waiting, wait}
}

// hurdle counts a failure that is not the record's and returns how long to
// wait: one second, doubled each time, at most 30.
func (w *work) hurdle() time.Duration {
	t := w.troubled()
	wait := min(time.Second<<min(t.hurdles, 10), maxHurdleWait)
	t.hurdles++
	return wait
}

func (c *consumer) logOf(w *work) *slog.Logger {
	return c.link.log.With("group", c.group, "topic", w.partition.topic, "partition", w.partition.id, "offset", w.rec.Offset)
}

// fromRetry reports whether the record is a head of the retry topic.
func (w work) fromRetry() bool { return w.trouble != nil && w.head != nil }
