package parking_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/parking"
)

func TestALotKnowsSinceWhenItsKeysWait(t *testing.T) {
	t.Parallel()
	ago := func(minutes int) time.Time { return noon.Add(-time.Duration(minutes) * time.Minute).Local() }
	failed := func(minutes int, parked bool) parking.Entry {
		return parking.Entry{Attempts: 1, First: ago(minutes), Due: noon.Add(time.Hour), Parked: parked}
	}
	d := newDesk(parking.Config{})
	check := func(when string, want parking.Stats, d *desk) {
		t.Helper()
		got := d.lot.Stats()
		got.Span = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("empty", parking.Stats{}, d)
	d.wait(1, "a", failed(5, false))
	d.wait(2, "b", failed(7, false))
	d.follow(t, 3, "b")
	d.wait(4, "c", failed(9, true))
	d.catchUp()
	want := parking.Stats{Tickets: 4, Keys: 3, Parked: 1, WaitingSince: ago(7), ParkedSince: ago(9)}
	check("some wait", want, d)
	d.log = append(d.log, parking.Entry{Kind: parking.Command, Op: parking.Park, Key: []byte("d"), Since: -1})
	d.catchUp()
	for _, a := range d.lot.Commands() {
		a.Entry.Time = ago(11) // as its writer adds it
		d.write(a)
	}
	d.catchUp()
	want.Keys, want.Parked, want.ParkedSince = 4, 2, ago(11)
	check("one is parked by hand", want, d)
	check("after a crash", want, newDesk(parking.Config{}, d.log...))
}
