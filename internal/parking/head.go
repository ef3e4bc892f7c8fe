package parking

import "time"

// A Head is a ticket that may run. It is given out once; its outcome is
// [Lot.Settle], [Lot.Again] or [Lot.Release].
type Head struct {
	Ticket   Ticket
	Key      []byte
	Attempts int   // that have failed
	Redrives int   // how often it was brought back
	Copy     int64 // where its bytes are in the retry partition

	lane   *lane
	ticket *ticket
}

// Due gives out at most so many heads that may run now, and tells when to ask
// again; the zero time if nothing is due. Ask also after [Lot.Acked] and
// [Lot.Passed].
func (l *Lot) Due(now time.Time, limit int) (heads []*Head, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready || l.superseded {
		return nil, time.Time{}
	}
	for len(heads) < limit {
		ln, at := l.agenda.first()
		if ln == nil {
			return heads, time.Time{}
		}
		if at.After(now) {
			return heads, at
		}
		l.agenda.pop()
		tk := ln.head(l.skip)
		if l.own(ln) && tk.place.Offset >= l.position && l.skip != readingAhead {
			l.block(ln)
			continue
		}
		ln.busy = l.skip != twoHeads
		heads = append(heads, &Head{
			Ticket: tk.place, Key: ln.key(), Attempts: tk.attempts, Redrives: tk.redrives, Copy: tk.copy, lane: ln, ticket: tk,
		})
	}
	return heads, now
}

// Behind reports how far the source has been read while heads wait for it to be
// read further.
func (l *Lot) Behind() (position int64, waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.position, l.ready && !l.superseded && len(l.blocked) > 0
}

// block has a lane wait for the source. The lock is held.
func (l *Lot) block(ln *lane) {
	if !ln.blocked {
		ln.blocked = true
		l.blocked = append(l.blocked, ln)
	}
}

// Passed tells that the source has been read up to an offset, and that all it
// had of a key before it are in the key's lane, before any head.
func (l *Lot) Passed(next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position = max(l.position, next)
	blocked := l.blocked
	l.blocked = nil
	for _, ln := range blocked {
		ln.blocked = false
		l.schedule(ln)
	}
}

// Begin asks, when a head has come to the head of its lane, whether it is still
// the one to run. If not it has been taken back, and will be given out again.
func (l *Lot) Begin(h *Head) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.skip == anyOrder || l.skip == twoHeads || !h.lane.held && h.lane.head(l.skip) == h.ticket {
		return true
	}
	l.free(h.lane)
	return false
}

// Settle asks for the mark of a head that was handled, or whose dead letter was
// acknowledged. The next ticket of the key runs once it is acknowledged.
func (l *Lot) Settle(h *Head) *Append {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.skip == nextBeforeMark {
		l.settle(h.lane, h.Ticket)
		l.free(h.lane)
	}
	return l.mark(h.lane, h.ticket)
}

func (l *Lot) mark(ln *lane, tk *ticket) *Append {
	return l.ask(&Append{
		Entry: Entry{Kind: Mark, Fence: l.fence, Ticket: tk.place, Key: ln.key(), Since: -1},
		From:  -1, lane: ln, ticket: tk, frees: true,
	})
}

// Again asks for the next copy of a head that has failed: with its attempts,
// when it is due, or whether it waits for an operator.
func (l *Lot) Again(h *Head, next Entry) *Append {
	l.mu.Lock()
	defer l.mu.Unlock()
	next.Redrives = h.Redrives
	return l.ask(&Append{Entry: l.copy(h.lane, h.ticket, next), From: h.ticket.copy, lane: h.lane, ticket: h.ticket, frees: true})
}

// Release takes a head back that was not run.
func (l *Lot) Release(h *Head) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free(h.lane)
}
