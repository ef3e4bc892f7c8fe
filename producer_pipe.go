package slipway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/contract"
)

// awayAfter is how long the oldest record of a topic may wait for its
// acknowledgement before the cluster counts as away. An election takes a few
// seconds; one request may take [contract.RequestTimeout].
const awayAfter = 10 * time.Second

// A pipe is the way of one topic's records to the cluster: what it holds is
// bounded by the contract's buffer, and every record in it is told its outcome
// exactly once, at the latest when the contract's timeout is over.
//
// The client underneath neither bounds nor times out by itself. Its bound would
// be shared by all topics, so that one without a leader held up the others, and
// its timeout goes by the record's timestamp, which a relay or a replay brings
// along from long ago. It also never gives up a record that it may have
// written, which is what keeps a topic free of duplicates; so a pipe tells the
// sender, and the record keeps its room in the buffer until the client knows.
type pipe struct {
	app      *App
	link     *link
	topic    string // as the contract names it
	physical string
	writer   *writer
	room     contract.Buffer
	timeout  time.Duration
	largest  int       // record batch that the topic takes
	sends    operation // that spans are of
	fallback fallback  // nil for block

	timetable *timetable // nil with via: outbox
	counts    pipeCounts
	spared    atomic.Int64 // see spare
	short     atomic.Bool  // of in-sync replicas

	mu          sync.Mutex
	records     int
	bytes       int64
	first, last *sending // what is not acknowledged, in the order it came
	waiting     []*waiter
	window      *window   // of what comes now
	windows     []*window // of what is not acknowledged, oldest first
	timer       *time.Timer
	armed       bool
	away        bool
	closed      bool
}

// A sending is one record on its way. It is the context of its record while the
// client has it, so that the acknowledgement finds it; as a context it ends
// when the client should not begin to write the record any more.
type sending struct {
	context.Context // of its window

	pipe       *pipe
	rec        *kgo.Record
	span       trace.Span      // nil where there are no traces
	was        context.Context // the record's own
	done       func(*kgo.Record, error)
	receipt    func(Receipt, error) // in place of done
	since      time.Time
	size       int64
	told       bool
	patient    bool // not told before the client knows
	prev, next *sending
}

// A waiter waits for room. granted is closed once it has it.
type waiter struct {
	size    int64
	granted chan struct{}
}

// put writes a record past the fallback: it waits for room until ctx ends, and
// has done called exactly once. Records of one key are written in the order of
// the calls. It is what replays use, too.
func (q *pipe) put(ctx context.Context, rec *kgo.Record, done func(*kgo.Record, error)) {
	q.send(ctx, &sending{rec: rec, done: done, span: q.resume(ctx, rec)}, false)
}

// send writes what p holds. With divert the fallback is asked first.
func (q *pipe) send(ctx context.Context, p *sending, divert bool) {
	p.pipe = q
	p.size = int64(recordSize(p.rec))
	if err := q.admissible(p.rec); err != nil {
		p.tell(err)
		return
	}
	divert = divert && q.fallback != nil
	if divert && q.fallback.take(ctx, p.rec, q.isAway(p.size), p.finish) {
		return
	}
	if err := q.writer.id.prime(ctx, q.writer.client); err != nil {
		p.tell(q.link.named(err, toWrite(q.physical)))
		return
	}
	if !q.enter(p) {
		if divert && q.fallback.take(ctx, p.rec, true, p.finish) {
			return
		}
		if err := q.wait(ctx, p); err != nil {
			p.tell(err)
			return
		}
	}
	p.was = p.rec.Context
	p.rec.Context = p
	q.writer.client.Produce(p, p.rec, acknowledged)
}

// admissible refuses at once what no waiting helps.
func (q *pipe) admissible(rec *kgo.Record) error {
	if n := recordSize(rec) + batchOverhead; n > q.largest {
		return fmt.Errorf("%w: %d bytes with key and headers, and the topic takes batches of %d", ErrTooLarge, n, q.largest)
	}
	if lacks := q.link.denials.lacks(toWrite(q.physical)); lacks != nil {
		return lacks
	}
	return nil
}

// isAway reports whether a record of a size could not go now.
func (q *pipe) isAway(size int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.away || !q.fits(size)
}

// fits reports whether there is room that nobody waits for. The lock is held.
func (q *pipe) fits(size int64) bool {
	return len(q.waiting) == 0 && q.holds(size)
}

func (q *pipe) holds(size int64) bool {
	return q.records < q.room.Records && (q.bytes+size <= int64(q.room.Bytes) || q.records == 0)
}

// enter takes room in the buffer if there is some.
func (q *pipe) enter(p *sending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || !q.fits(p.size) {
		return false
	}
	q.admit(p)
	return true
}

// wait takes room as soon as there is some.
func (q *pipe) wait(ctx context.Context, p *sending) error {
	w := &waiter{size: p.size, granted: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	q.grant()
	q.mu.Unlock()
	select {
	case <-w.granted:
	case <-ctx.Done():
		if !q.leave(w) {
			return fmt.Errorf("%w: %w", ErrBufferFull, context.Cause(ctx))
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.records, q.bytes = q.records-1, q.bytes-w.size // admit counts them again
	if q.closed {
		return ErrNotRunning
	}
	q.admit(p)
	return nil
}

// leave gives up waiting. It reports true if room was granted meanwhile.
func (q *pipe) leave(w *waiter) (granted bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.waiting {
		if other == w {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			q.grant() // what stood behind it may fit
			return false
		}
	}
	return true
}

// grant lets in those that wait, in their order, once an eighth of the buffer is
// free: letting in one for each that leaves would make batches of one record.
// The lock is held.
func (q *pipe) grant() {
	if len(q.waiting) == 0 || !q.closed && (q.records > q.room.Records*7/8 || q.bytes > int64(q.room.Bytes)*7/8) {
		return
	}
	n := 0
	for ; n < len(q.waiting) && (q.closed || q.holds(q.waiting[n].size)); n++ {
		q.records, q.bytes = q.records+1, q.bytes+q.waiting[n].size
		close(q.waiting[n].granted)
	}
	q.waiting = append(q.waiting[:0], q.waiting[n:]...)
}

// admit puts a record behind the others. The lock is held.
func (q *pipe) admit(p *sending) {
	p.since = time.Now()
	if p.rec.Timestamp.IsZero() {
		p.rec.Timestamp = p.since
	}
	p.Context = q.windowAt(p.since).ctx
	q.records, q.bytes = q.records+1, q.bytes+p.size
	p.prev = q.last
	if q.last == nil {
		q.first = p
	} else {
		q.last.next = p
	}
	q.last = p
	q.counts.accepted.Add(1)
	q.arm()
}

// acknowledged is what the client calls with the outcome of a record.
func acknowledged(rec *kgo.Record, err error) {
	p, ok := rec.Context.(*sending)
	if !ok {
		panic("slipway: acknowledgement of a record that was not sent")
	}
	rec.Context = p.was
	p.pipe.acknowledged(p, err)
}

func (q *pipe) acknowledged(p *sending, err error) {
	q.mu.Lock()
	q.remove(p)
	told := p.told
	p.told = true
	back := err == nil && q.away
	if err == nil || q.first == nil {
		q.away = false
	}
	q.grant()
	q.mu.Unlock()
	switch {
	case err == nil:
		q.link.denials.succeeded(q.link, toWrite(q.physical))
	case p.Err() != nil && errors.Is(err, context.Canceled):
		err = context.Cause(p) // of its window: it was not written
	default:
		err = uncertain(q.link.named(err, toWrite(q.physical)))
	}
	if back {
		q.link.log.Info("the cluster acknowledges again", "topic", q.physical)
	}
	q.counts.settled(p, told, err)
	if !told {
		p.tell(err)
	}
}

// remove takes a record out. The lock is held.
func (q *pipe) remove(p *sending) {
	q.records, q.bytes = q.records-1, q.bytes-p.size
	if p.prev == nil {
		q.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
}

// finish is tell for those who hold a record beside.
func (p *sending) finish(rec *kgo.Record, err error) {
	p.rec = rec
	p.tell(err)
}

// tell tells the sender. It is called once, and under no lock.
func (p *sending) tell(err error) {
	if p.span != nil {
		endSend(p.span, p.rec, err)
	}
	switch {
	case p.receipt == nil:
		p.done(p.rec, err)
	case err != nil:
		p.receipt(Receipt{Topic: p.pipe.physical, Partition: -1, Offset: -1}, fmt.Errorf("send to %s: %w", p.pipe.topic, p.pipe.link.sendFault(err)))
	default:
		p.receipt(Receipt{p.rec.Topic, p.rec.Partition, p.rec.Offset}, nil)
	}
}

// close lets nobody in any more. What the client still holds it tells itself.
func (q *pipe) close() error {
	q.mu.Lock()
	q.closed = true
	q.grant()
	if q.timer != nil {
		q.timer.Stop()
	}
	for _, w := range q.windows {
		w.cancel(ErrNotRunning)
	}
	q.windows, q.window = nil, nil
	q.mu.Unlock()
	var errs []error
	if q.timetable != nil {
		errs = append(errs, q.timetable.close())
	}
	if q.fallback != nil {
		errs = append(errs, q.fallback.close())
	}
	return errors.Join(errs...)
}
