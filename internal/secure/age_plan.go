package secure

import "time"

const (
	// drain is what a connection whose certificates live for minutes gets to
	// become quiet, where a tenth of their life is less: requests that wait for
	// something at the broker are answered within seconds.
	drain = 10 * time.Second

	// shortest is how long a connection lives at least, so that a certificate at
	// its very end, or a clock that is wrong, does not have one opened after the
	// other.
	shortest = time.Second
)

// A life is the time of a certificate.
type life struct{ from, to time.Time }

// end is when a connection that is made now with a certificate ends.
//
// That is at 80 % of the certificate's life. A connection that is made later
// than at 70 % of it, because nobody has renewed the certificate, lives for 80 % of
// what is left: so it ends before the certificate does, and the next ones
// follow at intervals that shrink to a fifth each time, not in a loop.
func (l life) end(now time.Time) time.Time {
	whole := l.to.Sub(l.from)
	if now.Before(l.from.Add(whole / 10 * 7)) {
		return l.from.Add(whole / 10 * 8)
	}
	return now.Add(l.to.Sub(now) / 10 * 8)
}

// A plan is when a connection ends.
type plan struct {
	quiet time.Time // from here on, as soon as no request is open
	hold  time.Time // from here on no further request is let in beside open ones
	last  time.Time // from here on it is over
}

// planned returns when a connection ends that is made now. The time in which it may
// end begins at random within a quarter, so that those of many clients which were
// opened at once are not closed at once.
func planned(now time.Time, random float64, certificates ...life) plan {
	var last time.Time
	for _, l := range certificates {
		if end := l.end(now); last.IsZero() || end.Before(last) {
			last = end
		}
	}
	if earliest := now.Add(shortest); last.Before(earliest) {
		last = earliest
	}
	whole := last.Sub(now)
	window := max(whole/8, min(drain, whole/2))
	return plan{
		quiet: last.Add(-window + time.Duration(random*float64(window/4))),
		hold:  last.Add(-window / 4),
		last:  last,
	}
}
