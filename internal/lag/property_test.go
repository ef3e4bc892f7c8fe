package lag_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/lag"
)

// TestSecondsAreWrongByAtMostOneInterval appends records at known times and
// looks now and then: the oldest unfinished record is as old as the window
// says, within the time between the two sightings around its append.
func TestSecondsAreWrongByAtMostOneInterval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			w         lag.Window
			appended  []time.Time // of each offset
			looks     []time.Time
			committed int64
			now       = began
		)
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			for range rapid.IntRange(0, 5).Draw(t, "records") {
				now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
				appended = append(appended, now)
			}
			now = now.Add(time.Second)
			committed += int64(rapid.IntRange(0, len(appended)-int(committed)).Draw(t, "finished"))
			w.Add(lag.Sample{At: now, Committed: committed, End: int64(len(appended))})
			looks = append(looks, now)
		}
		seconds, exact := w.Seconds()
		if int(committed) == len(appended) {
			if seconds != 0 || !exact {
				t.Fatalf("caught up, and %v seconds, exact %v", seconds, exact)
			}
			return
		}
		truth := now.Sub(appended[committed]).Seconds()
		if !exact {
			if seconds > truth {
				t.Fatalf("at least %v seconds is said, %v is true", seconds, truth)
			}
			return
		}
		if off, allowed := seconds-truth, around(looks, appended[committed]); off > allowed || off < -allowed {
			t.Fatalf("%v seconds, %v is true: off by more than the %v between two looks", seconds, truth, allowed)
		}
	})
}

// around is the time between the looks on both sides of a moment, with a
// nanosecond for rounding.
func around(looks []time.Time, at time.Time) float64 {
	for i, look := range looks {
		if look.Before(at) {
			continue
		}
		if i == 0 {
			return 0
		}
		return look.Sub(looks[i-1]).Seconds() + 1e-9
	}
	return 0
}

// TestAWindowThatIsFullStillTellsSeconds has more looks than a trail has room
// for: the answer gets coarser and stays true.
func TestAWindowThatIsFullStillTellsSeconds(t *testing.T) {
	t.Parallel()
	var w lag.Window
	const looks, stuck = 10_000, 7
	for i := range looks {
		w.Add(lag.Sample{At: began.Add(time.Duration(i) * time.Second), Committed: min(stuck, int64(i)), End: int64(i)})
	}
	seconds, exact := w.Seconds()
	if want := float64(looks - 1 - stuck); !exact || seconds < want || seconds > want+64 {
		t.Errorf("%v seconds, exact %v, want %v or a little more", seconds, exact, want)
	}
}

// TestAReaderThatIsCaughtUpIsNeverBad whatever came before, unless its offset
// is not one of the log.
func TestAReaderThatIsCaughtUpIsNeverBad(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var w lag.Window
		n := rapid.IntRange(1, 30).Draw(t, "samples")
		var end int64
		for i := range n {
			end += int64(rapid.IntRange(0, 9).Draw(t, "appended"))
			committed := rapid.Int64Range(lag.None, end).Draw(t, "committed")
			if i == n-1 {
				committed = end
			}
			vacant := rapid.Bool().Draw(t, "vacant")
			w.Add(lag.Sample{At: began.Add(time.Duration(i) * time.Second), Committed: committed, End: end, Vacant: vacant})
		}
		if got := w.Status(); got != lag.OK {
			t.Fatalf("status of a reader that has read everything is %s", got)
		}
		if last, _ := w.Last(); last.Records() != 0 {
			t.Fatalf("%d records of lag", last.Records())
		}
	})
}

// TestMoreReadIsNeverMoreLag holds for records and for seconds.
func TestMoreReadIsNeverMoreLag(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var less, more lag.Window
		var end int64
		for i := range rapid.IntRange(1, 40).Draw(t, "samples") {
			end += int64(rapid.IntRange(0, 9).Draw(t, "appended"))
			a := rapid.Int64Range(0, end).Draw(t, "less")
			b := rapid.Int64Range(a, end).Draw(t, "more")
			at := began.Add(time.Duration(i) * time.Second)
			less.Add(lag.Sample{At: at, Committed: a, End: end})
			more.Add(lag.Sample{At: at, Committed: b, End: end})
		}
		l, _ := less.Last()
		m, _ := more.Last()
		if m.Records() > l.Records() {
			t.Fatalf("%d records, and %d of whoever read less", m.Records(), l.Records())
		}
		s, exact := less.Seconds()
		if r, _ := more.Seconds(); exact && r > s {
			t.Fatalf("%v seconds, and %v of whoever read less", r, s)
		}
	})
}
