package parking

import (
	"slices"
	"time"
)

// A name is what is kept in order: a key in a life, or, without a key, a ticket
// alone.
type name struct {
	life   string
	key    string
	null   bool
	epoch  int32
	offset int64
}

func nameOf(t Ticket, key []byte) name {
	if key == nil {
		return name{life: t.Life, null: true, epoch: t.Epoch, offset: t.Offset}
	}
	return name{life: t.Life, key: string(key)}
}

// A lane is what waits of one key.
type lane struct {
	name    name
	tickets []*ticket // in order
	moved   []*ticket // in order too: those that a rebuild found behind younger ones
	busy    bool      // its head is out, or what became of it is not acknowledged
	asked   int       // appends that are not acknowledged
	newest  int64     // the highest offset of those that are
	turn    uint64    // its newest place on the agenda
	listed  bool      // it has one
	due     time.Time // of that
	blocked bool      // it waits for the source to be read past its head

	marked  bool
	settled Ticket // of its highest mark

	held    bool  // parked by hand
	heldAt  int64 // the offset of the newest hold, -1 for none
	heldBy  int64 // the offset of the command that asked for it
	since   int64 // when that was, in milliseconds; 0 if not known
	holding bool  // a hold is on its way
}

// A ticket is what is known of a record that waits.
type ticket struct {
	place    Ticket
	copy     int64 // the offset of the newest copy, -1 while none is acknowledged
	due      time.Time
	since    int64 // of one that is parked: the offset of the first such copy
	first    int64 // when its first attempt failed, in milliseconds; 0 if none did
	attempts int
	redrives int
	parked   bool
	skip     bool // it will be skipped, and must not run
	gone     bool
}

// update notes a copy, unless a newer one is known.
func (tk *ticket) update(offset int64, e Entry) {
	if offset <= tk.copy {
		return
	}
	tk.copy, tk.due, tk.attempts, tk.redrives, tk.parked = offset, e.Due, e.Attempts, e.Redrives, e.Parked
	tk.since, tk.first = offset, millis(e.First)
	if e.Since >= 0 {
		tk.since = e.Since
	}
}

func (ln *lane) key() []byte {
	if ln.name.null {
		return nil
	}
	return []byte(ln.name.key)
}

// head is the ticket that runs next.
func (ln *lane) head(skip rule) *ticket {
	if len(ln.tickets) == 0 {
		return nil
	}
	if skip == anyOrder {
		return ln.tickets[len(ln.tickets)-1]
	}
	return ln.tickets[0]
}

func search(all []*ticket, t Ticket) (int, bool) {
	return slices.BinarySearchFunc(all, t, func(tk *ticket, t Ticket) int { return tk.place.Compare(t) })
}

func (ln *lane) ticket(t Ticket) *ticket {
	if i, ok := search(ln.tickets, t); ok {
		return ln.tickets[i]
	}
	if i, ok := search(ln.moved, t); ok {
		return ln.moved[i]
	}
	return nil
}

// insert adds a ticket. Those that were moved to trim the log lie behind
// younger ones there, many in a row: they are kept apart until [lane.merge], or
// reading a long lane would take quadratic time.
func (ln *lane) insert(tk *ticket) {
	switch {
	case follows(ln.tickets, tk):
		ln.tickets = append(ln.tickets, tk)
	case follows(ln.moved, tk):
		ln.moved = append(ln.moved, tk)
	default:
		ln.merge()
		ln.moved = append(ln.moved, tk)
	}
}

// follows reports whether a ticket is above all others.
func follows(all []*ticket, tk *ticket) bool {
	return len(all) == 0 || all[len(all)-1].place.Compare(tk.place) < 0
}

// merge puts all tickets in one order.
func (ln *lane) merge() {
	if len(ln.moved) == 0 {
		return
	}
	all := make([]*ticket, 0, len(ln.tickets)+len(ln.moved))
	a, b := ln.tickets, ln.moved
	for len(a) > 0 && len(b) > 0 {
		if a[0].place.Compare(b[0].place) < 0 {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	ln.tickets, ln.moved = append(append(all, a...), b...), nil
}

// passed reports whether a ticket lies at or below the lane's mark.
func (ln *lane) passed(t Ticket) bool { return ln.marked && t.Compare(ln.settled) <= 0 }

// settle notes a mark and returns how many tickets it ended: all up to it.
func (ln *lane) settle(t Ticket) int {
	if !ln.passed(t) {
		ln.marked, ln.settled = true, t
	}
	n := shift(&ln.tickets, t) + shift(&ln.moved, t)
	if len(ln.tickets) == 0 {
		ln.merge()
	}
	return n
}

// shift removes the tickets up to one and returns how many they were.
func shift(all *[]*ticket, t Ticket) (n int) {
	for n < len(*all) && (*all)[n].place.Compare(t) <= 0 {
		(*all)[n].gone = true
		(*all)[n] = nil
		n++
	}
	*all = (*all)[n:]
	return n
}

// remove ends one ticket and returns how many that were.
func (ln *lane) remove(t Ticket) int {
	ln.merge()
	i, ok := search(ln.tickets, t)
	if !ok {
		return 0
	}
	ln.tickets[i].gone = true
	if i == 0 { // as nearly always
		ln.tickets[0] = nil
		ln.tickets = ln.tickets[1:]
		return 1
	}
	ln.tickets = slices.Delete(ln.tickets, i, i+1)
	return 1
}

// hold notes that the key is parked by hand, or no longer, unless something
// newer is known. It returns by how many there are more such keys.
func (ln *lane) hold(offset int64, e Entry) int {
	if offset <= ln.heldAt {
		return 0
	}
	was := ln.held
	ln.held, ln.heldAt, ln.heldBy, ln.since = e.Held, offset, e.Since, millis(e.Time)
	switch {
	case was == e.Held:
		return 0
	case was:
		return -1
	}
	return 1
}

// millis is a time as a ticket keeps it: there may be a million of them.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
