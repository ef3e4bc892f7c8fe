package lag

import (
	"slices"
	"time"
)

// maxPoints bounds a trail. A trail that is full is thinned by half, so it
// reaches back as far as the oldest unfinished record whatever the interval,
// and is coarser the farther it reaches.
const maxPoints = 64

// A trail remembers when the log ended where. Its points rise strictly in time
// and never fall in end, and at most two in a row have the same end: the first
// and the last sighting of it.
type trail struct{ points []point }

type point struct {
	at  time.Time
	end int64
}

// add notes a sighting and forgets what nobody will ask for: all before the
// last point that is not above the committed offset.
func (t *trail) add(at time.Time, end, committed int64) {
	n := len(t.points)
	switch {
	case n > 0 && end < t.points[n-1].end: // the log was cut or made anew
		t.points = nil
	case n > 0 && !at.After(t.points[n-1].at):
		t.points = t.points[:n-1]
	case n > 1 && end == t.points[n-1].end && end == t.points[n-2].end:
		t.points = t.points[:n-1]
	}
	t.points = append(t.points, point{at, end})
	if first := t.before(committed); first > 0 {
		t.points = slices.Delete(t.points, 0, first)
	}
	if len(t.points) > maxPoints {
		t.thin()
	}
}

// begin puts a sighting before all others.
func (t *trail) begin(at time.Time, end int64) {
	if len(t.points) > 0 && at.Before(t.points[0].at) && end < t.points[0].end {
		t.points = slices.Insert(t.points, 0, point{at, end})
	}
}

// before is the index of the last point that is not above an offset, -1 if all
// are.
func (t *trail) before(offset int64) int {
	for i, p := range t.points {
		if p.end > offset {
			return i - 1
		}
	}
	return len(t.points) - 1
}

// thin drops every other point but the first and the two last.
func (t *trail) thin() {
	kept, n := t.points[:0], len(t.points)
	for i, p := range t.points {
		if i%2 == 0 || i >= n-2 {
			kept = append(kept, p)
		}
	}
	t.points = kept
}

// passed is when the end passed an offset, that is when the record there was
// appended. If that was before the trail began, it is when the trail began, and
// exact is false.
func (t *trail) passed(offset int64) (at time.Time, exact bool) {
	i := t.before(offset)
	if i < 0 {
		return t.points[0].at, false
	}
	if i == len(t.points)-1 { // not appended yet, as far as was seen
		return t.points[i].at, true
	}
	a, b := t.points[i], t.points[i+1]
	share := float64(offset-a.end) / float64(b.end-a.end)
	return a.at.Add(time.Duration(share * float64(b.at.Sub(a.at)))), true
}
