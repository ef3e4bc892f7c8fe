package parking

import (
	"cmp"
	"container/heap"
	"time"
)

// An agenda is the lanes whose heads may run, by when they are due. A lane that
// is added again for another time has only its newest place.
type agenda struct {
	items []appointment
}

type appointment struct {
	lane *lane
	turn uint64
	due  time.Time
	head Ticket // of those due at once, the oldest goes first
}

func (a *agenda) add(ln *lane, due time.Time) {
	if ln.listed && ln.due.Equal(due) {
		return
	}
	ln.turn++
	ln.listed, ln.due = true, due
	heap.Push((*byDue)(a), appointment{ln, ln.turn, due, ln.tickets[0].place})
}

// first returns the next lane that has something to run, nil for none.
func (a *agenda) first() (*lane, time.Time) {
	for len(a.items) > 0 {
		if it := a.items[0]; it.current() && it.lane.runnable() {
			return it.lane, it.due
		}
		a.pop()
	}
	return nil, time.Time{}
}

func (a *agenda) pop() {
	if it := heap.Pop((*byDue)(a)).(appointment); it.current() {
		it.lane.listed = false
	}
}

// current reports whether it is its lane's newest place.
func (it appointment) current() bool { return it.turn == it.lane.turn }

// runnable reports whether a lane that is on the agenda still may run.
func (ln *lane) runnable() bool {
	return !ln.busy && !ln.held && len(ln.tickets) > 0 && ln.tickets[0].runnable()
}

// runnable reports whether a ticket may run once it is due.
func (tk *ticket) runnable() bool { return tk.copy >= 0 && !tk.parked && !tk.skip }

// byDue is an agenda as a heap.
type byDue agenda

// Len implements [heap.Interface].
func (h *byDue) Len() int { return len(h.items) }

// Less implements [heap.Interface].
func (h *byDue) Less(i, j int) bool {
	a, b := &h.items[i], &h.items[j]
	return cmp.Or(a.due.Compare(b.due), a.head.Compare(b.head), cmp.Compare(a.head.Life, b.head.Life)) < 0
}

// Swap implements [heap.Interface].
func (h *byDue) Swap(i, j int) { h.items[i], h.items[j] = h.items[j], h.items[i] }

// Push implements [heap.Interface].
func (h *byDue) Push(x any) { h.items = append(h.items, x.(appointment)) }

// Pop implements [heap.Interface].
func (h *byDue) Pop() any {
	last := len(h.items) - 1
	x := h.items[last]
	h.items[last] = appointment{}
	h.items = h.items[:last]
	return x
}
