package contract

import (
	"cmp"
	"math"
	"time"
)

// A Retry says when a failed record is tried again and what happens after the
// last attempt. The waits are either listed, in Delays, or computed, by
// Backoff; without both a record has one attempt.
type Retry struct {
	Delays  []time.Duration
	Backoff *Backoff // nil where the waits are listed, or there are none

	// InPlace is the longest wait that is spent in the process, with the
	// record at the head of its key. Longer ones are spent in the retry topic.
	InPlace time.Duration

	Then Then
}

// A Backoff is waits that grow by a factor up to a maximum. Each is drawn
// anew, between nothing and its full length, so that what failed together is
// not tried again together.
type Backoff struct {
	First    time.Duration // the full length of the first wait
	Factor   float64       // what each full length is multiplied by for the next
	Max      time.Duration // what no full length exceeds
	Attempts int           // further attempts, after the first one

	// Budget is how long after the first failure another attempt may begin.
	Budget time.Duration
}

// Then is what happens to a record after its last attempt.
type Then string

// What follows the last attempt. DeadLetter is the default.
const (
	DeadLetter Then = "dead-letter"
	Park       Then = "park"
	Stop       Then = "stop"
)

// Attempts is how often a record is handled at most, the first time included.
func (r Retry) Attempts() int {
	if r.Backoff != nil {
		return r.Backoff.Attempts + 1
	}
	return len(r.Delays) + 1
}

// Wait is how long a record waits after the given number of failed attempts,
// which counts from 1. A listed delay is kept whole; a wait of a backoff is
// drawn by rnd, which yields numbers from 0 up to but not including 1, as
// [math/rand/v2.Float64] does.
//
// Whether there is another attempt at all is for [Retry.Attempts] and
// [Retry.Budget] to say: beyond the last wait it stays at the last one, and
// it is nothing where none is stated.
func (r Retry) Wait(failed int, rnd func() float64) time.Duration {
	failed = max(failed, 1)
	switch {
	case r.Backoff != nil:
		return time.Duration(rnd() * float64(r.Backoff.full(failed)))
	case len(r.Delays) > 0:
		return r.Delays[min(failed, len(r.Delays))-1]
	default:
		return 0
	}
}

// Budget is how long after a record's first failure another attempt may begin;
// 0 means at any time.
func (r Retry) Budget() time.Duration {
	if r.Backoff == nil {
		return 0
	}
	return r.Backoff.Budget
}

// Longest is how long all waits of a record can take together.
func (r Retry) Longest() time.Duration {
	var total time.Duration
	if r.Backoff == nil {
		for _, d := range r.Delays {
			total += d
		}
		return total
	}
	for failed := 1; failed <= r.Backoff.Attempts; failed++ {
		total = min(total+r.Backoff.full(failed), MaxDuration)
	}
	return min(total, cmp.Or(r.Backoff.Budget, MaxDuration))
}

// waits reports whether a failed record is ever tried again.
func (r Retry) waits() bool { return r.Attempts() > 1 }

// full is the length of a wait before it is drawn.
func (b *Backoff) full(failed int) time.Duration {
	length := float64(b.First) * math.Pow(b.Factor, float64(failed-1))
	return time.Duration(min(length, float64(b.Max)))
}
