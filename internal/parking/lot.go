package parking

import (
	"sync"
	"sync/atomic"
)

// A Config is what is known of a retry partition when it comes to a new owner.
type Config struct {
	// Life is the id of the source topic.
	Life string

	// Fence is the new owner's number, which it has committed, and Committed
	// the one that was in effect at RetryFrom.
	Fence, Committed uint64

	// Mark is where the new owner's fence lies in the log. Others of the same
	// number, of an owner whose commit was lost, may lie before it.
	Mark int64

	// RetryFrom is the offset from which the log is read: what was committed,
	// or the start of the log.
	RetryFrom int64

	// SourceFrom is the offset from which the source is read: what was
	// committed. Everything below is finished.
	SourceFrom int64

	// MaxTickets is how many tickets may wait before the lot is [Lot.Full].
	// Zero means no bound. A ticket takes about 100 bytes, a key 400.
	MaxTickets int
}

// A Lot is what waits of one partition. It is safe for concurrent use.
type Lot struct {
	life   string
	fence  uint64
	markAt int64 // where the own fence lies
	max    int
	skip   rule // which rule a test has switched off

	quiet atomic.Bool // there are no lanes

	mu         sync.Mutex
	ready      bool
	superseded bool
	lanes      map[name]*lane
	tickets    int
	holds      int   // keys that are parked by hand
	position   int64 // the source has been read up to here
	highest    int64 // ticket of the source's present life
	agenda     agenda
	blocked    []*lane // whose heads wait for the source to be read past them
	commands   []*command
	injected   recent

	log log
}

// New returns the lot of a partition whose log has not been read yet.
func New(cfg Config) *Lot {
	l := &Lot{life: cfg.Life, fence: cfg.Fence, max: cfg.MaxTickets, lanes: make(map[name]*lane), position: cfg.SourceFrom, markAt: cfg.Mark, highest: -1}
	l.quiet.Store(true)
	l.log = log{next: cfg.RetryFrom, front: cfg.RetryFrom, high: cfg.Committed, effect: cfg.Committed, source: cfg.SourceFrom, slack: slack}
	return l
}

// Ready reports whether the log was read up to the owner's own fence. Before
// that no source record may be handled.
func (l *Lot) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready
}

// Superseded reports whether the log has a higher fence than the owner's: the
// partition belongs to somebody else by now, and nothing may be appended.
func (l *Lot) Superseded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.superseded
}

// Highest is the highest fence in the log.
func (l *Lot) Highest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.high
}

// Full reports whether no more tickets should be added: the source partition
// has to rest until some are settled. It never has to before it was read past
// the highest ticket: what waits for that would wait for ever.
func (l *Lot) Full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.max > 0 && l.tickets >= l.max && (l.position > l.highest || l.skip == restTooEarly)
}

// Quiet reports whether nothing waits and no mark is remembered: every source
// record can be handled.
func (l *Lot) Quiet() bool { return l.quiet.Load() }

// A Fate is what a source record has to do.
type Fate uint8

// The fates.
const (
	Handle   Fate = iota // nothing of its key waits
	Follow               // append it behind its key, then finish it
	Finished             // it was handed over or settled before a crash
)

// An Append is a record that has to be written to the retry partition. Once it
// is acknowledged, tell [Lot.Acked]. If it was certainly not written, write it
// again; if nobody knows, the partition has to be given up and taken anew, with
// a higher fence.
type Append struct {
	Entry Entry

	// From is the offset in the retry partition of the record whose bytes it
	// carries; -1 if they are the source record's own, or there are none.
	From int64

	lane    *lane // nil for a command that is moved
	ticket  *ticket
	command *command
	frees   bool // the lane was busy with it
}

// ask notes that an append is on its way. The lock is held.
func (l *Lot) ask(a *Append) *Append {
	a.lane.asked++
	return a
}

// Arrive asks what a source record has to do, when it has come to the head of
// its lane and before its handler is called. The key is what is kept in order,
// nil for nothing.
func (l *Lot) Arrive(t Ticket, key []byte) (Fate, *Append) {
	if l.quiet.Load() {
		return Handle, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.find(t, key)
	f := l.fate(ln, t)
	if f == Follow {
		return f, l.admit(ln, t, Entry{})
	}
	return f, nil
}

// Free reports whether Arrive would have a source record handled, as things
// stand. It changes nothing.
func (l *Lot) Free(t Ticket, key []byte) bool {
	if l.quiet.Load() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fate(l.find(t, key), t) == Handle
}

// fate is what a source record of a lane has to do. The lock is held.
func (l *Lot) fate(ln *lane, t Ticket) Fate {
	switch {
	case ln == nil:
		return Handle
	case ln.ticket(t) != nil:
		return Finished
	case ln.passed(t) && l.skip != marksIgnored:
		return Finished
	case len(ln.tickets) == 0 && !ln.held, l.skip == overtaking:
		return Handle
	}
	return Follow
}

// Wait asks for the append that hands a failed source record over.
func (l *Lot) Wait(t Ticket, key []byte, next Entry) *Append {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.admit(l.open(t, key), t, next)
}

// admit adds a ticket to a lane. It counts from now on, and not from when its
// copy is acknowledged. The lock is held.
func (l *Lot) admit(ln *lane, t Ticket, next Entry) *Append {
	tk := l.add(ln, t)
	return l.ask(&Append{Entry: l.copy(ln, tk, next), From: -1, lane: ln, ticket: tk})
}

// add adds a ticket to a lane. The lock is held.
func (l *Lot) add(ln *lane, t Ticket) *ticket {
	tk := &ticket{place: t, copy: -1}
	ln.insert(tk)
	if l.ready {
		ln.merge()
	}
	l.tickets++
	if l.own(ln) {
		l.highest = max(l.highest, t.Offset)
	}
	return tk
}

// copy is the entry of a ticket's next copy.
func (l *Lot) copy(ln *lane, tk *ticket, next Entry) Entry {
	next.Kind, next.Op, next.Fence = Copy, 0, l.fence
	next.Ticket, next.Key = tk.place, ln.key()
	next.Since = -1
	return next
}

// Acked tells where an append was written.
func (l *Lot) Acked(a *Append, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.command != nil {
		a.command.done = true
	}
	if a.lane == nil {
		return
	}
	a.lane.asked--
	a.lane.newest = max(a.lane.newest, offset)
	switch a.Entry.Kind {
	case Copy:
		a.ticket.update(offset, a.Entry)
	case Mark:
		l.settle(a.lane, a.Entry.Ticket)
	case Hold:
		a.lane.holding = false
		l.holds += a.lane.hold(offset, a.Entry)
	}
	if a.frees {
		a.lane.busy = false
	}
	l.schedule(a.lane)
	l.tidy(a.lane)
}

// settle removes what a mark ends: in the source's present life all of the key
// up to a ticket. Tickets of other lives come in any order, so there it is the
// ticket alone. The lock is held.
func (l *Lot) settle(ln *lane, t Ticket) {
	if l.own(ln) {
		l.tickets -= ln.settle(t)
		return
	}
	l.tickets -= ln.remove(t)
	l.injected.add(ln.name, t)
}

// settled reports whether a copy is of a ticket that was settled. The lock is
// held.
func (l *Lot) settled(ln *lane, t Ticket) bool {
	if l.own(ln) {
		return ln.passed(t)
	}
	return l.injected.has(ln.name, t)
}

// free makes a lane available that was busy. The lock is held.
func (l *Lot) free(ln *lane) {
	ln.busy = false
	l.schedule(ln)
	l.tidy(ln)
}

// schedule puts a lane on the agenda if its head may run some time. The lock
// is held.
func (l *Lot) schedule(ln *lane) {
	if !l.ready || ln.busy || ln.held || len(ln.tickets) == 0 {
		return
	}
	if tk := ln.head(l.skip); tk.runnable() {
		l.agenda.add(ln, tk.due)
	}
}

// tidy forgets a lane that has nothing to remember. The lock is held.
func (l *Lot) tidy(ln *lane) {
	if len(ln.tickets) > 0 || ln.held || ln.busy || ln.asked > 0 {
		return
	}
	if ln.newest >= l.log.next && l.skip != unpinned {
		return // what it has appended will be read, and must not be taken for news
	}
	if ln.marked && l.own(ln) && ln.settled.Offset >= l.log.source {
		return // source records up to there may come again
	}
	if ln.heldAt >= 0 && (!l.ready || len(l.commands) > 0) {
		return // a command before it may be read yet
	}
	if l.lanes[ln.name] == ln {
		delete(l.lanes, ln.name)
		l.quiet.Store(len(l.lanes) == 0)
	}
}

// own reports whether a lane is of the source topic's present life.
func (l *Lot) own(ln *lane) bool { return ln.name.life == l.life }

func (l *Lot) find(t Ticket, key []byte) *lane {
	if key == nil {
		return l.lanes[nameOf(t, nil)]
	}
	return l.lanes[name{life: t.Life, key: string(key)}] // does not allocate
}

// open returns the lane of a key, made if need be. The lock is held.
func (l *Lot) open(t Ticket, key []byte) *lane {
	ln := l.find(t, key)
	if ln == nil {
		ln = &lane{name: nameOf(t, key), newest: -1, heldAt: -1, heldBy: -1}
		l.lanes[ln.name] = ln
		l.quiet.Store(false)
	}
	return ln
}
