package slipway

import (
	"maps"
	"slices"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// judgePipes is whether what the service sends is acknowledged. A buffer that is
// full while acknowledgements come is backpressure, and no problem.
func (a *App) judgePipes(now time.Time) []finding {
	var found []finding
	for _, topic := range slices.Sorted(maps.Keys(a.pipes)) {
		found = append(found, a.pipes[topic].link.found(a.pipes[topic].judge(now))...)
	}
	return found
}

// judge is whether the topic's records go. What becomes of them while they do
// not is the contract's word: a service that still takes them does its work, one
// that refuses them or lets callers wait does not.
func (q *pipe) judge(now time.Time) finding {
	name := "produce " + q.topic
	s := q.snapshot()
	if !s.away {
		return okay(name, "")
	}
	refuses := s.ratio >= 1 || s.waiting > 0
	what := "the buffer takes more"
	switch f := q.fallback.(type) {
	case *spillway:
		what, refuses = "records go to disk", f.spent(now)
		if refuses {
			what = "the spill has reached its cap, records are refused"
		}
	case *sampling:
		what, refuses = "records are dropped and counted", false
	case failing:
		what, refuses = "records are refused (away: "+string(contract.Fail)+")", true
	default:
		if refuses {
			what = "the buffer is full, senders wait"
		}
	}
	oldest := s.oldest.Round(time.Second)
	if !refuses {
		return warning(name, diag.HealthNoDelivery, "nothing is acknowledged, the oldest record waits for %v; %s", oldest, what)
	}
	f := failure(reaching, name, diag.HealthNoDelivery, "nothing is acknowledged, the oldest record waits for %v; %s", oldest, what)
	f.Since = now.Add(awayAfter - s.oldest)
	return f
}

// spent reports whether nothing more goes to disk.
func (s *spillway) spent(now time.Time) bool {
	return s.carry.age(now) > s.age || s.refuses.Load()
}
