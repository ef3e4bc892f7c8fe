package slipway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/lane"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/retrylog"
)

const (
	maxHeads   = 1_000   // heads of one partition in lanes at a time
	maxTickets = 1 << 18 // of one partition; above, its source rests
	trimEvery  = 30 * time.Second
	appendWait = time.Second // before an append that was refused is tried again
	maxLooks   = 30          // for a copy that the log does not show
	lookWait   = time.Second // between two of them
)

// A yard is where the records of one partition wait that are in the retry
// topic. Package parking decides what happens to them; the yard reads and
// writes their log, and puts heads that may run into the partition's lanes.
type yard struct {
	consumer  *consumer
	partition *partition
	at        topicPartition // in the retry topic
	fence     uint64
	life      string
	lot       *parking.Lot
	log       *retrylog.Log
	cache     *retrylog.Cache
	opened    chan struct{} // closed when the lot is ready
	call      chan struct{} // there may be something to do
	out       atomic.Int64  // heads in lanes

	mu      sync.Mutex
	last    commit // of the retry partition
	trimmed int64  // records below were deleted
	trimAt  time.Time

	lookAt  time.Time   // when the source may be looked at next; only the commit loop uses it
	looking atomic.Bool // at the source
}

// A head is a ticket of the lot on its way through a lane.
type head struct{ *parking.Head }

// ticket is a source record's place.
func (y *yard) ticket(rec *kgo.Record) parking.Ticket {
	return parking.Ticket{Life: y.life, Epoch: rec.LeaderEpoch, Offset: rec.Offset}
}

// ordered is what is kept in order of a record: its key, all of the partition
// (the empty key), or nothing.
func (e *entry) ordered(rec *kgo.Record) []byte {
	switch e.Order {
	case contract.ByPartition:
		return []byte{}
	case contract.Unordered:
		return nil
	default:
		return rec.Key
	}
}

// arrive asks what a record has to do that has come to the head of its lane.
func (y *yard) arrive(w *work) fate {
	if w.fromRetry() {
		if y.lot.Begin(w.head.Head) {
			return fate{state: pending}
		}
		y.leave()
		return fate{state: returned}
	}
	if w.trouble != nil {
		return fate{state: pending} // it has been asked for already
	}
	switch f, a := y.lot.Arrive(y.ticket(w.rec), y.partition.entry.ordered(w.rec)); f {
	case parking.Finished:
		y.partition.frontier.Finish(w.seq)
		return fate{state: finished}
	case parking.Follow:
		y.hand(a, w)
		y.crowd()
		return fate{state: handed}
	default:
		return fate{state: pending}
	}
}

// free reports whether arrive has nothing against handling a source record.
func (y *yard) free(rec *kgo.Record) bool {
	return y.lot.Free(y.ticket(rec), y.partition.entry.ordered(rec))
}

// postpone hands a failed record over to wait for its next attempt.
func (y *yard) postpone(w *work, wait time.Duration) fate {
	return y.next(w, parking.Entry{Attempts: w.fails, First: w.first, Due: time.Now().Add(wait)})
}

// park hands a failed record over to wait for an operator.
func (y *yard) park(w *work) fate {
	return y.next(w, parking.Entry{Attempts: w.fails, First: w.first, Parked: true})
}

func (y *yard) next(w *work, e parking.Entry) fate {
	if w.fromRetry() {
		a := y.lot.Again(w.head.Head, e)
		y.leave()
		y.hand(a, w)
	} else {
		y.hand(y.lot.Wait(y.ticket(w.rec), y.partition.entry.ordered(w.rec), e), w)
		y.crowd()
	}
	return fate{state: handed}
}

// settle notes that a head is through. It stays open until its mark is in the
// log.
func (y *yard) settle(w *work) {
	a := y.lot.Settle(w.head.Head)
	y.leave()
	y.partition.open.add(1, size(nothing))
	y.write(&transfer{append: a})
}

// release takes back a head that was not run.
func (y *yard) release(w *work) {
	y.lot.Release(w.head.Head)
	y.leave()
}

// leave notes that a head has left the lanes.
func (y *yard) leave() {
	y.out.Add(-1)
	y.poke()
}

// passed tells how far the source has been read.
func (y *yard) passed(next int64) {
	y.lot.Passed(next)
	if !y.lot.Quiet() {
		y.poke()
	}
}

// crowd lets the source rest while too much waits.
func (y *yard) crowd() {
	if y.lot.Full() {
		y.partition.pause(crowding)
	}
}

// A transfer is an append on its way, with the work that is over once it is
// acknowledged.
type transfer struct {
	append *parking.Append
	work   *work
	source *kgo.Record // whose bytes it carries
	skips  bool        // an operator wants the ticket settled unhandled
	tries  int
}

// hand appends a record's copy and closes the record once that is acknowledged.
func (y *yard) hand(a *parking.Append, w *work) {
	own := *w // the lane uses the place again
	y.write(&transfer{append: a, work: &own, source: w.rec})
}

// write appends to the retry partition.
func (y *yard) write(t *transfer) {
	e := &t.append.Entry
	switch {
	case t.source != nil:
		e.Time = t.source.Timestamp
	case e.Kind == parking.Hold && e.Time.IsZero():
		e.Time = time.Now()
	}
	rec := parking.Encode(*e, t.source)
	rec.Topic, rec.Partition = y.at.topic, y.at.id
	y.log.Append(y.partition.ctx, rec, func(rec *kgo.Record, err error) { y.written(t, rec, err) })
}

// written acts on the outcome of an append.
func (y *yard) written(t *transfer, rec *kgo.Record, err error) {
	p := y.partition
	switch {
	case err == nil:
		if t.tries > 0 {
			y.consumer.tell(y.partition.retrying(), "")
		}
		if t.append.Entry.Kind == parking.Copy {
			y.cache.Put(rec)
		}
		y.lot.Acked(t.append, rec.Offset)
		y.skipped(t)
		if t.work != nil && !t.work.fromRetry() {
			p.frontier.Finish(t.work.seq)
		}
		y.over(t)
		y.poke()
	case p.ended.Load():
		y.over(t) // not finished: the next owner sees to it
	case errors.Is(err, retrylog.ErrNotWritten):
		err = y.consumer.link.named(err, toWrite(y.at.topic))
		t.tries++
		y.consumer.tell(y.partition.retrying(), err.Error())
		y.consumer.link.log.Error("retry topic could not be written, record stays open", "code", diag.RuntimeRetryFailed,
			"to", y.at.topic, "partition", y.at.id, "error", err)
		y.consumer.busy.Go(func() { y.rewrite(t, min(appendWait<<min(t.tries-1, 5), maxHurdleWait)) })
	default:
		// Nobody knows whether the record is in the log. Only a new owner, behind
		// a higher fence, can find out.
		y.over(t)
		y.consumer.reopen(p, y.consumer.link.named(err, toWrite(y.at.topic)))
	}
}

// skipped counts a ticket that an operator has settled.
func (y *yard) skipped(t *transfer) {
	if !t.skips {
		return
	}
	e := t.append.Entry
	y.partition.entry.meter.processed(resultSkipped, 1)
	y.consumer.link.log.Warn("record skipped by an operator", "group", y.consumer.group, "topic", y.partition.topic,
		"partition", y.partition.id, "offset", e.Ticket.Offset)
}

// rewrite tries an append again after a while, unless the partition ends first.
func (y *yard) rewrite(t *transfer, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		y.write(t)
	case <-y.partition.ending:
		y.over(t)
	}
}

// over closes what an append was for.
func (y *yard) over(t *transfer) {
	if t.work != nil {
		y.consumer.closed(t.work)
		return
	}
	y.partition.leave(nothing)
}

// nothing is the record of appends that carry none.
var nothing = &kgo.Record{}

// poke has the pump look.
func (y *yard) poke() {
	select {
	case y.call <- struct{}{}:
	default:
	}
}

// pump gives heads to the lanes as they become due, until the partition ends.
func (y *yard) pump(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-y.call:
		case <-timer.C:
		}
		if y.partition.ended.Load() {
			return
		}
		if next := y.turn(ctx); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// turn does what is due and returns when there will be more.
func (y *yard) turn(ctx context.Context) time.Time {
	if y.lot.Superseded() {
		y.consumer.halt(y.partition, errSuperseded)
		return time.Time{}
	}
	for _, a := range y.lot.Commands() {
		y.carry(ctx, a)
	}
	if a := y.lot.Trim(); a != nil {
		y.carry(ctx, a)
	}
	if !y.lot.Full() {
		y.partition.resume(crowding)
	}
	room := maxHeads - int(y.out.Load())
	if room <= 0 {
		return time.Time{} // a head that leaves will call
	}
	heads, next := y.lot.Due(time.Now(), room)
	for _, h := range heads {
		y.run(ctx, h)
	}
	return next
}

var errSuperseded = errors.New("another instance owns the partition")

// carry writes an append whose bytes are in the retry partition, or that needs
// none. A mark among them is a skip.
func (y *yard) carry(ctx context.Context, a *parking.Append) {
	t := &transfer{append: a, skips: a.Entry.Kind == parking.Mark}
	if a.From >= 0 {
		rec, e, err := y.original(ctx, a.From, a.Entry.Ticket)
		if err != nil {
			y.lost(err)
			return
		}
		t.source = rec
		if a.Entry.Attempts > 0 {
			a.Entry.First = e.First
		}
	}
	y.partition.open.add(1, size(nothing))
	y.write(t)
}

// run puts a head into its lane.
func (y *yard) run(ctx context.Context, h *parking.Head) {
	rec, e, err := y.original(ctx, h.Copy, h.Ticket)
	if err != nil {
		y.lot.Release(h)
		y.lost(err)
		return
	}
	p := y.partition
	w := work{rec: rec, partition: p, trouble: &trouble{head: &head{Head: h}, fails: h.Attempts, first: e.First}}
	y.out.Add(1)
	p.open.add(1, size(rec))
	p.entry.lanes.Add([]lane.Item[work]{{Lane: p.entry.lane(p, rec, h.Ticket.Offset), Value: w}})
}

// original returns the source record that a copy carries, and its entry.
func (y *yard) original(ctx context.Context, offset int64, t parking.Ticket) (*kgo.Record, parking.Entry, error) {
	rec := y.cache.Get(y.at.topic, y.at.id, offset)
	if rec == nil {
		var err error
		if rec, err = y.fetch(ctx, offset); err != nil {
			return nil, parking.Entry{}, err
		}
	}
	e, err := parking.Decode(rec)
	if err != nil {
		return nil, e, err
	}
	e.Ticket = t
	return parking.Original(rec, e, y.partition.topic, y.partition.id), e, nil
}

// fetch reads a copy from the log. One that is not there yet will be: after an
// election the new leader shows its last records only once others have them too.
func (y *yard) fetch(ctx context.Context, offset int64) (*kgo.Record, error) {
	for tries := 1; ; tries++ {
		rec, err := y.log.At(ctx, y.at.topic, y.at.id, offset, y.cache.Put)
		if !errors.Is(err, retrylog.ErrNoRecord) || tries == maxLooks {
			return rec, err
		}
		if b, err2 := y.log.Bounds(ctx, y.at.topic, y.at.id); err2 == nil && offset < b[y.at.id].Start || !waitFor(ctx, lookWait) {
			return nil, err
		}
	}
}

// lost halts the partition: a copy that the lot knows cannot be read.
func (y *yard) lost(err error) {
	switch refused := y.consumer.link.refused(err, toRead(y.at.topic)); {
	case y.partition.ctx.Err() != nil:
	case refused != nil:
		y.consumer.reopen(y.partition, refused)
	default:
		y.consumer.halt(y.partition, err)
	}
}

// retrying is what health calls the partition's retry topic.
func (tp topicPartition) retrying() string { return "retry topic of " + tp.String() }

// progress adds what can be committed of the retry partition beside a frontier
// of its source. It reports whether there is anything.
func (y *yard) progress(p *partition, source int64, moved progress) bool {
	if !y.lot.Ready() || p.void.Load() {
		return false
	}
	offset, fence := y.lot.Frontier(source)
	text, _ := frontier.Metadata{Fence: fence}.Encode(maxMetadata)
	now := commit{offset, text, time.Now()}
	y.mu.Lock()
	last := y.last
	y.mu.Unlock()
	if now.offset == last.offset && now.metadata == last.metadata && now.at.Sub(last.at) < refresh {
		return false
	}
	moved[y.at] = committing{now, -1, p}
	return true
}

// everCommitted reports whether anything was committed of the retry partition.
func (y *yard) everCommitted() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return !y.last.at.IsZero()
}

// committed notes what was committed of the retry partition, and deletes what
// lies below now and then.
func (y *yard) committed(now commit) {
	y.poke() // a skip may have waited for it
	y.mu.Lock()
	defer y.mu.Unlock()
	y.last = now
	if now.offset <= y.trimmed || now.at.Sub(y.trimAt) < trimEvery {
		return
	}
	y.trimmed, y.trimAt = now.offset, now.at
	y.consumer.busy.Go(func() {
		ctx, cancel := context.WithTimeout(y.partition.ctx, commitTimeout)
		defer cancel()
		if err := y.log.DeleteBelow(ctx, y.at.topic, y.at.id, now.offset); err != nil && ctx.Err() == nil {
			y.consumer.link.log.Warn("retry topic could not be trimmed", "topic", y.at.topic, "partition", y.at.id, "error", err)
		}
	})
}
