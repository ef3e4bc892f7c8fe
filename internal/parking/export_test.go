package parking

import "time"

// A Rule is one that can be switched off.
type Rule = rule

// None switches nothing off.
const None = none

// Rules are those that the lot keeps, by what they forbid.
var Rules = map[string]Rule{
	"a source record overtakes its key":           overtaking,
	"followers run before their head":             anyOrder,
	"marks are ignored":                           marksIgnored,
	"what zombies wrote is read":                  noFence,
	"a head runs before the source was read":      readingAhead,
	"the next ticket runs before the mark":        nextBeforeMark,
	"a mark is finished before the source passed": markForgotten,
	"a command acts on what came after it":        commandTwice,
	"a head is given out while it runs":           twoHeads,
	"what a zombie wrote is appended again":       trimAnything,
	"a command is finished before it is done":     commandLost,
	"a command about a key acts twice":            holdTwice,
	"the source rests too early":                  restTooEarly,
	"a head is skipped early":                     skipEarly,
	"a key is forgotten before it was read":       unpinned,
}

// Without switches a rule off.
func (l *Lot) Without(r Rule) *Lot {
	l.skip = r
	return l
}

// Overdue returns the heads that might run at a time and were not given out.
func (l *Lot) Overdue(now time.Time) []Ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	var late []Ticket
	for _, ln := range l.lanes {
		if !l.ready || l.superseded || ln.busy || ln.held || len(ln.tickets) == 0 {
			continue
		}
		tk := ln.tickets[0]
		if tk.runnable() && !tk.due.After(now) && (!l.own(ln) || tk.place.Offset < l.position) {
			late = append(late, tk.place)
		}
	}
	return late
}

// Tight has the lot trim its log at once, and not only when it is worth it.
func (l *Lot) Tight() { l.log.slack = 5 }
