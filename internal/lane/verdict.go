package lane

import "time"

// A Verdict is what became of the items that a run function was given. Two
// verdicts may be compared; the zero value is [Done].
type Verdict struct {
	next  next
	done  int // how many are finished, unless all are
	after time.Duration
}

// next is what the first item that is not finished does.
type next uint8

const (
	none  next = iota // there is none: all are finished
	again             // it runs again after a delay
	hold              // it runs again when it is woken
)

// Done is the verdict of items that are all finished.
func Done() Verdict { return Verdict{} }

// DoneN tells that the first n items are finished. The others run again, when
// it is their lane's turn.
func DoneN(n int) Verdict { return AgainN(n, 0) }

// Again keeps all items at the head of their lane, to run again not before the
// delay is over.
func Again(after time.Duration) Verdict { return AgainN(0, after) }

// AgainN tells that the first n items are finished. The others stay, as
// [Again] does it; if there are none it is Done.
func AgainN(n int, after time.Duration) Verdict {
	return Verdict{next: again, done: max(n, 0), after: max(after, 0)}
}

// Hold keeps all items at the head of their lane until [Pool.Wake] or
// [Pool.Release] brings them back. What calls that may come before the verdict
// does: it is not lost.
func Hold() Verdict { return HoldN(0) }

// HoldN tells that the first n items are finished. The others stay, as [Hold]
// does it; if there are none it is Done.
func HoldN(n int) Verdict { return Verdict{next: hold, done: max(n, 0)} }

// finished returns how many of the items that were given are finished.
func (v Verdict) finished(given int) int {
	if v.next == none {
		return given
	}
	return min(v.done, given)
}
