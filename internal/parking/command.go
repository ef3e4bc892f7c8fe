package parking

import "time"

// A command is what an operator has asked for and is not in the log yet.
type command struct {
	Entry
	offset  int64
	applied bool // its append is on its way
	done    bool
}

// readCommand takes in a command. An injected record needs no copy: it is one.
func (l *Lot) readCommand(offset int64, e Entry) {
	if e.Op != Inject {
		c := &command{Entry: e, offset: offset}
		l.commands = append(l.commands, c)
		l.log.push(place{offset: offset, command: c, mark: -1})
		return
	}
	e.Attempts, e.Parked, e.Since = 0, false, -1
	if l.injected.has(nameOf(e.Ticket, e.Key), e.Ticket) {
		return // sent twice
	}
	if ln := l.find(e.Ticket, e.Key); ln != nil && ln.ticket(e.Ticket) != nil {
		return
	}
	l.readCopy(offset, e)
}

// Commands asks for what commands that were read call for. A command that has
// to wait (its key is busy) is asked for again.
func (l *Lot) Commands() []*Append {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready || l.superseded || len(l.commands) == 0 {
		return nil
	}
	var appends []*Append
	for _, c := range l.commands {
		if c.done || c.applied {
			continue
		}
		if a := l.apply(c); a != nil {
			c.applied, a.command = true, c
			c.done = l.skip == commandLost
			appends = append(appends, a)
		}
	}
	var open []*command
	for _, c := range l.commands {
		if !c.done {
			open = append(open, c)
		}
	}
	l.commands = open
	if len(open) == 0 {
		for _, ln := range l.lanes {
			l.tidy(ln)
		}
	}
	return appends
}

// apply returns what a command calls for; nil if it has to wait, or if it is
// done because there is nothing to do. The lock is held.
func (l *Lot) apply(c *command) *Append {
	ln := l.find(c.Ticket, c.Key)
	var tk *ticket
	if ln != nil && c.Ticket.Life != "" {
		tk = ln.ticket(c.Ticket)
	}
	switch c.Op {
	case Release:
		if c.byKey() {
			return l.holdBy(c, false)
		}
		if l.early(ln, tk, c) {
			return nil
		}
		if tk == nil || !tk.parked || tk.since > c.offset && tk.redrives != c.Redrives && l.skip != commandTwice {
			break
		}
		if ln.busy {
			return nil
		}
		ln.busy = true
		e := l.copy(ln, tk, Entry{Redrives: tk.redrives + 1})
		return l.ask(&Append{Entry: e, From: tk.copy, lane: ln, ticket: tk, frees: true})
	case Skip:
		if l.early(ln, tk, c) {
			return nil
		}
		if tk == nil {
			break
		}
		tk.skip = true
		if ln.busy || ln.tickets[0] != tk || tk.copy < 0 {
			return nil
		}
		if l.own(ln) && tk.place.Offset >= l.log.source && l.skip != skipEarly {
			return nil // an older one of the key may still come, and would be taken for settled
		}
		ln.busy = true
		return l.mark(ln, tk)
	case Park:
		return l.holdBy(c, true)
	}
	c.done = true
	return nil
}

// early reports whether a command about a ticket was given before the copy that
// it is about is in the log. A record is dead-lettered before it is parked, and
// who has seen the letter may answer it at once: a command names the round that
// it answers. The lock is held.
func (l *Lot) early(ln *lane, tk *ticket, c *command) bool {
	if tk != nil {
		return c.Op == Release && !tk.parked && tk.redrives == c.Redrives
	}
	return c.Ticket.Life == l.life && c.Ticket.Offset >= l.log.source && (ln == nil || !ln.passed(c.Ticket))
}

// byKey reports whether a command concerns its key and no ticket.
func (c *command) byKey() bool { return c.Ticket.Life == "" }

// holdBy parks a key by hand, or lets it go on. The lock is held.
func (l *Lot) holdBy(c *command, held bool) *Append {
	ln := l.find(Ticket{Life: l.life}, c.Key)
	switch {
	case c.Key == nil, ln == nil && !held:
		c.done = true
		return nil
	case ln == nil:
		ln = l.keyed(c.Key)
	case ln.holding:
		return nil
	case ln.heldBy >= c.offset && l.skip != holdTwice, ln.held == held:
		c.done = true
		return nil
	}
	return l.hold(ln, held, c.offset, time.Time{})
}

// keyed is the lane of a key in the source's present life: a hold is of the
// key, whatever the life it was asked for in. The lock is held.
func (l *Lot) keyed(key []byte) *lane { return l.open(Ticket{Life: l.life}, key) }

// hold asks for the record that parks a key, or no longer does. A head that is
// out may finish; nothing follows it. When that was is for the caller to add if
// it is now. The lock is held.
func (l *Lot) hold(ln *lane, held bool, command int64, since time.Time) *Append {
	ln.holding = true
	e := Entry{Kind: Hold, Fence: l.fence, Key: ln.key(), Held: held, Since: command, Time: since}
	return l.ask(&Append{Entry: e, From: -1, lane: ln})
}

// remembered is how many settled injections are kept in mind, to know one that
// is sent twice.
const remembered = 10_000

// recent are the injections that were settled last.
type recent struct {
	names map[injection]struct{}
	order []injection
}

type injection struct {
	name
	Ticket
}

func (r *recent) has(n name, t Ticket) bool {
	_, ok := r.names[injection{n, t}]
	return ok
}

func (r *recent) add(n name, t Ticket) {
	if r.names == nil {
		r.names = make(map[injection]struct{})
	}
	in := injection{n, t}
	if _, ok := r.names[in]; ok {
		return
	}
	if len(r.order) == remembered {
		delete(r.names, r.order[0])
		r.order = r.order[1:]
	}
	r.names[in] = struct{}{}
	r.order = append(r.order, in)
}
