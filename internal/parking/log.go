package parking

import "time"

// A log is what is known of the retry partition between its frontier and the
// last record that was read.
type log struct {
	next   int64 // to be read
	front  int64 // everything below is finished
	places []place
	head   int // places[:head] have been passed
	source int64
	slack  int64 // finished records behind the frontier that are not worth the trouble

	marks  []place // those that the source has not passed yet
	fences []fence
	high   uint64 // the highest fence that was read
	effect uint64 // the one in effect at the frontier
}

// A place is a record of the log that is not finished yet, or was not when it
// was read.
type place struct {
	offset  int64
	lane    *lane
	ticket  *ticket  // of a copy
	command *command // that waits to be applied
	mark    int64    // the ticket of a mark, -1 for others
}

type fence struct {
	offset int64
	number uint64
}

// finished reports whether a place holds nothing back.
func (l *Lot) finished(p place) bool {
	switch {
	case p.command != nil:
		return p.command.done
	case p.ticket != nil:
		return p.ticket.gone || p.ticket.copy != p.offset
	case p.mark >= 0:
		return p.mark < l.log.source || l.skip == markForgotten
	default:
		return !p.lane.held || p.lane.heldAt != p.offset
	}
}

func (g *log) push(p place) { g.places = append(g.places, p) }

// advance passes what is finished.
func (l *Lot) advance() {
	g := &l.log
	for g.head < len(g.places) && l.finished(g.places[g.head]) {
		g.places[g.head] = place{}
		g.head++
	}
	if g.head > 1024 && g.head*2 > len(g.places) {
		n := copy(g.places, g.places[g.head:])
		clear(g.places[n:])
		g.places, g.head = g.places[:n], 0
	}
	g.front = g.next
	if g.head < len(g.places) {
		g.front = g.places[g.head].offset
	}
	for len(g.fences) > 0 && g.fences[0].offset < g.front {
		g.effect = max(g.effect, g.fences[0].number)
		g.fences = g.fences[1:]
	}
}

// Frontier returns what may be committed of the retry partition together with
// a frontier of the source, in one request: the offset below which everything
// is finished, and the fence in effect there.
func (l *Lot) Frontier(source int64) (offset int64, fence uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready {
		return l.log.front, l.log.effect
	}
	l.log.source = max(l.log.source, source)
	l.forget()
	l.advance()
	return l.log.front, l.log.effect
}

// forget drops the lanes of which only marks were known that the source has
// passed. The lock is held.
func (l *Lot) forget() {
	kept := l.log.marks[:0]
	for _, m := range l.log.marks {
		if m.mark >= l.log.source {
			kept = append(kept, m)
			continue
		}
		l.tidy(m.lane)
	}
	clear(l.log.marks[len(kept):])
	l.log.marks = kept
}

// slack is a log's, in a running service.
const slack = 64

// Trim asks for a copy to be appended again that holds the frontier back while
// more than half of what lies behind it is finished; nil if none does. Only
// what the lot knows is moved: never the record of a zombie.
func (l *Lot) Trim() *Append {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready || l.superseded {
		return nil
	}
	l.advance()
	g := &l.log
	if live := l.tickets + l.holds + len(l.commands); g.head == len(g.places) || g.next-g.front <= g.slack+2*int64(live) {
		return nil
	}
	p := g.places[g.head]
	switch {
	case p.command != nil:
		return l.move(p.command)
	case p.lane.busy || p.lane.holding:
		return nil // it resolves by itself
	case p.ticket != nil:
		tk := p.ticket
		e := l.copy(p.lane, tk, Entry{Attempts: tk.attempts, Due: tk.due, Parked: tk.parked, Redrives: tk.redrives})
		if tk.parked {
			e.Since = tk.since
		}
		p.lane.busy = true
		return l.ask(&Append{Entry: e, From: tk.copy, lane: p.lane, ticket: tk, frees: true})
	case p.mark < 0:
		return l.hold(p.lane, true, p.lane.heldBy, moment(p.lane.since))
	}
	return nil
}

// move appends a skip again that waits for its ticket to become the head. All
// other commands wait for what is on its way. The lock is held.
func (l *Lot) move(c *command) *Append {
	if c.Op != Skip || c.applied {
		return nil
	}
	c.applied = true
	return &Append{Entry: c.Entry, From: -1, command: c}
}

// Stats is what a lot holds at a moment.
type Stats struct {
	Tickets int   // that wait, heads and followers
	Keys    int   // that wait
	Parked  int   // keys that wait for an operator
	Span    int64 // records between the frontier and the end of the log

	// WaitingSince is when the oldest key that waits for an attempt failed
	// first, and ParkedSince when the oldest parked one did; one that is parked
	// by hand counts from then on. Zero if there is none, or nobody knows.
	WaitingSince, ParkedSince time.Time
}

// Stats counts what waits. It looks at every key.
func (l *Lot) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Tickets: l.tickets, Span: l.log.next - l.log.front}
	var waiting, parked int64
	for _, ln := range l.lanes {
		if len(ln.tickets) == 0 && !ln.held {
			continue
		}
		s.Keys++
		if ln.parked() {
			s.Parked++
			parked = earlier(parked, ln.began())
		} else {
			waiting = earlier(waiting, ln.began())
		}
	}
	s.WaitingSince, s.ParkedSince = moment(waiting), moment(parked)
	return s
}

// parked reports whether a lane waits for an operator.
func (ln *lane) parked() bool { return ln.held || len(ln.tickets) > 0 && ln.tickets[0].parked }

// began is since when a lane waits, 0 if nobody knows.
func (ln *lane) began() int64 {
	if ln.held || len(ln.tickets) == 0 {
		return ln.since
	}
	return ln.tickets[0].first
}

// earlier is the earlier one of two times that are known.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func moment(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}
