package secure

import (
	"net"
	"time"
)

// Plan is when a connection ends that is made now with certificates of these lives,
// each from and to.
func Plan(now time.Time, random float64, lives ...[2]time.Time) (quiet, hold, last time.Time) {
	all := make([]life, len(lives))
	for i, l := range lives {
		all[i] = life{l[0], l[1]}
	}
	p := planned(now, random, all...)
	return p.quiet, p.hold, p.last
}

// Ages counts aging connections.
type Ages struct{ ages }

// Counts returns how many are open, have ended and were cut.
func (a *Ages) Counts() [3]int64 {
	return [3]int64{a.open.Load(), a.ended.Load(), a.cut.Load()}
}

// Age has a connection end.
func (a *Ages) Age(conn net.Conn, quiet, hold, last time.Time) net.Conn {
	return age(conn, plan{quiet, hold, last}, &a.ages)
}

// Frames follows bytes in pieces and tells how many frames have begun and ended,
// and whether nothing of one is open.
func Frames(pieces ...[]byte) (begun, ended int, between bool) {
	var f frames
	for _, piece := range pieces {
		b, e := f.pass(piece)
		begun, ended = begun+b, ended+e
	}
	return begun, ended, f.between()
}

// Unacknowledged reports whether nobody answers a request.
func Unacknowledged(request []byte) bool { return unacknowledged(request) }
