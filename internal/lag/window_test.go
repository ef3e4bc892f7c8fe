package lag_test

import (
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/lag"
)

var began = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// window samples every ten seconds: pairs of committed and end.
func window(pairs ...[2]int64) *lag.Window {
	w := new(lag.Window)
	for i, p := range pairs {
		w.Add(lag.Sample{At: began.Add(time.Duration(i) * 10 * time.Second), Committed: p[0], End: p[1]})
	}
	return w
}

func TestAStatusTellsWhatALagAloneDoesNot(t *testing.T) {
	t.Parallel()
	vacant := func(w *lag.Window) *lag.Window {
		last, _ := w.Last()
		last.Vacant, last.At = true, last.At.Add(10*time.Second)
		w.Add(last)
		return w
	}
	cut := func(s lag.Sample) *lag.Window {
		w := new(lag.Window)
		w.Add(s)
		return w
	}
	for name, tt := range map[string]struct {
		window *lag.Window
		want   lag.Status
	}{
		"nothing seen":                 {new(lag.Window), lag.Unsure},
		"caught up":                    {window([2]int64{5, 5}), lag.OK},
		"first look at a lag":          {window([2]int64{5, 9}), lag.Unsure},
		"lag that shrinks":             {window([2]int64{0, 100}, [2]int64{50, 110}, [2]int64{90, 120}), lag.OK},
		"lag that shrank once":         {window([2]int64{0, 100}, [2]int64{50, 160}, [2]int64{90, 190}), lag.OK},
		"lag was zero in between":      {window([2]int64{0, 10}, [2]int64{10, 10}, [2]int64{10, 50}, [2]int64{10, 90}), lag.OK},
		"moves and falls behind":       {window([2]int64{1, 10}, [2]int64{2, 20}, [2]int64{3, 30}), lag.Warn},
		"moves and does not gain":      {window([2]int64{1, 11}, [2]int64{2, 12}, [2]int64{3, 13}), lag.Warn},
		"does not move":                {window([2]int64{3, 10}, [2]int64{3, 11}, [2]int64{3, 12}), lag.Stall},
		"does not move, nothing new":   {window([2]int64{3, 10}, [2]int64{3, 10}, [2]int64{3, 10}), lag.Stall},
		"nobody reads":                 {vacant(window([2]int64{3, 10}, [2]int64{3, 10})), lag.Stop},
		"nobody reads, nothing to":     {vacant(window([2]int64{10, 10}, [2]int64{10, 10})), lag.OK},
		"nobody, but it moved":         {vacant(window([2]int64{3, 10}, [2]int64{5, 10})), lag.OK},
		"seen once, nobody reads":      {cut(lag.Sample{At: began, Committed: 1, End: 2, Vacant: true}), lag.Stop},
		"went back":                    {window([2]int64{9, 10}, [2]int64{2, 10}, [2]int64{4, 10}), lag.Rewind},
		"went back from the end":       {window([2]int64{10, 10}, [2]int64{2, 10}), lag.Rewind},
		"went back, caught up again":   {window([2]int64{10, 10}, [2]int64{2, 10}, [2]int64{10, 10}), lag.OK},
		"deleted by retention":         {cut(lag.Sample{At: began, Committed: 3, Start: 5, End: 9}), lag.Err},
		"deleted to the last record":   {cut(lag.Sample{At: began, Committed: 3, Start: 9, End: 9}), lag.Err},
		"beyond the end":               {window([2]int64{12, 10}), lag.Err},
		"no commit, nothing to read":   {cut(lag.Sample{At: began, Committed: lag.None, Start: 4, End: 4}), lag.OK},
		"no commit, held, never moved": {window([2]int64{-1, 10}, [2]int64{-1, 10}, [2]int64{-1, 10}), lag.Stall},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.window.Status(); got != tt.want {
				t.Errorf("status is %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAGroupIsAsWellAsItsSickestPartition(t *testing.T) {
	t.Parallel()
	if got := lag.Worst(); got != lag.OK {
		t.Errorf("worst of none is %s, want %s", got, lag.OK)
	}
	if got := lag.Worst(lag.Warn, lag.Stop, lag.Unsure, lag.OK); got != lag.Stop {
		t.Errorf("worst is %s, want %s", got, lag.Stop)
	}
	for s, bad := range map[lag.Status]bool{
		lag.OK: false, lag.Unsure: false, lag.Warn: false, lag.Rewind: true, lag.Stall: true, lag.Stop: true, lag.Err: true,
	} {
		if s.Bad() != bad {
			t.Errorf("%s is bad: %v, want %v", s, s.Bad(), bad)
		}
	}
}

func TestOldSamplesLeaveTheWindow(t *testing.T) {
	t.Parallel()
	w := lag.NewWindow(3)
	for i, committed := range []int64{9, 2, 4, 6, 8} {
		w.Add(lag.Sample{At: began.Add(time.Duration(i) * time.Second), Committed: committed, End: 10})
	}
	if got := w.Status(); got != lag.OK {
		t.Errorf("status is %s, want %s: the rewind is five samples old", got, lag.OK)
	}
}

func TestWhatWasThereBeforeTheFirstLookCanBeDated(t *testing.T) {
	t.Parallel()
	w := window([2]int64{5, 9})
	w.Since(began.Add(-time.Hour), 5)
	w.Since(began.Add(-2*time.Hour), 5)  // known better already
	w.Since(began.Add(-2*time.Hour), 99) // above what was seen
	w.Since(began.Add(time.Hour), 1)     // after what was seen
	if seconds, exact := w.Seconds(); seconds != 3600 || !exact {
		t.Errorf("%v seconds, exact %v, want an hour, exactly", seconds, exact)
	}
	w.Add(lag.Sample{At: began.Add(time.Minute), Committed: 7, End: 9})
	if seconds, exact := w.Seconds(); seconds != 1860 || !exact {
		t.Errorf("%v seconds, exact %v, want half an hour and a minute", seconds, exact)
	}
}

func TestSecondsAreReadBetweenTwoSightings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		window  *lag.Window
		seconds float64
		exact   bool
	}{
		"nothing seen":               {new(lag.Window), 0, false},
		"caught up":                  {window([2]int64{5, 5}), 0, true},
		"before the first look":      {window([2]int64{5, 9}, [2]int64{6, 9}), 10, false},
		"half way":                   {window([2]int64{0, 0}, [2]int64{50, 100}), 5, true},
		"at a sighting":              {window([2]int64{0, 0}, [2]int64{50, 100}, [2]int64{100, 200}), 10, true},
		"a quiet time is not lag":    {window([2]int64{8, 8}, [2]int64{8, 8}, [2]int64{8, 8}, [2]int64{8, 9}), 10, true},
		"grows when a consumer dies": {window([2]int64{0, 0}, [2]int64{0, 10}, [2]int64{0, 10}, [2]int64{0, 10}, [2]int64{0, 10}), 40, true},
		"a log made anew":            {window([2]int64{0, 90}, [2]int64{0, 10}, [2]int64{0, 20}), 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seconds, exact := tt.window.Seconds()
			if seconds != tt.seconds || exact != tt.exact {
				t.Errorf("%v seconds, exact %v, want %v, %v", seconds, exact, tt.seconds, tt.exact)
			}
		})
	}
}
