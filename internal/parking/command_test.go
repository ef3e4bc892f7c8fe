package parking_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/parking"
)

func TestAReleasedTicketRunsFromItsFirstAttempt(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parked)
	d.follow(t, 2, "a")
	if got, _ := d.due(noon); got != nil {
		t.Fatalf("%v may run, though the key is parked", got)
	}
	d.catchUp()
	d.command(parking.Release, at(1), "a")
	got, heads := d.due(noon)
	if !cmp.Equal(got, []int64{1}) || heads[0].Attempts != 0 || heads[0].Redrives != 1 {
		t.Errorf("%v may run, %+v, want 1 from its first attempt", got, heads)
	}
}

func TestTheLastCommandAboutAKeyCounts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ops  []parking.Op
		want parking.Fate
	}{
		"parked":                     {[]parking.Op{parking.Park}, parking.Follow},
		"parked and released":        {[]parking.Op{parking.Park, parking.Release}, parking.Handle},
		"parked again":               {[]parking.Op{parking.Park, parking.Release, parking.Park}, parking.Follow},
		"released, which it was not": {[]parking.Op{parking.Release}, parking.Handle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(parking.Config{})
			for _, op := range tt.ops { // read together, before any of them was carried out
				d.log = append(d.log, parking.Entry{Kind: parking.Command, Op: op, Key: []byte("a"), Since: -1})
			}
			d.catchUp()
			for range tt.ops {
				d.obey()
			}
			if got, _ := d.lot.Arrive(at(9), []byte("a")); got != tt.want {
				t.Errorf("Arrive = %d, want %d", got, tt.want)
			}
			again := newDesk(parking.Config{}, slices.Clip(d.log)...) // after a crash
			again.obey()
			if got, _ := again.lot.Arrive(at(9), []byte("a")); got != tt.want {
				t.Errorf("after a crash Arrive = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestAKeyParkedByHandStaysSoWhenTheTopicIsMadeAnew(t *testing.T) {
	t.Parallel()
	hold := parking.Entry{Kind: parking.Hold, Key: []byte("a"), Held: true}
	hold.Ticket.Life = "an older topic"
	d := newDesk(parking.Config{}, hold)
	if got, _ := d.lot.Arrive(at(0), []byte("a")); got != parking.Follow {
		t.Errorf("Arrive = %d, want to follow", got)
	}
	d.command(parking.Release, parking.Ticket{}, "a")
	if got := d.lot.Stats(); got.Parked != 0 {
		t.Errorf("%+v, want it released", got)
	}
}

func TestASkippedTicketIsSettledWithoutARun(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parked)
	d.follow(t, 2, "a")
	d.catchUp()
	d.command(parking.Skip, at(1), "a")
	if got, _ := d.due(noon); got != nil {
		t.Errorf("%v may run before the source has been finished past 1", got)
	}
	d.lot.Frontier(3)
	d.obey()
	if got, _ := d.due(noon); !cmp.Equal(got, []int64{2}) {
		t.Errorf("%v may run, want 2", got)
	}
}

func TestASkipWaitsForItsTurnAndHoldsNothingBack(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parked)
	d.follow(t, 2, "a")
	d.command(parking.Skip, at(2), "a")
	for i := int64(3); i < 1_000; i++ {
		d.wait(i, "b", parking.Entry{})
		_, heads := d.due(noon)
		d.write(d.lot.Settle(heads[0]))
		d.catchUp()
		d.lot.Frontier(i + 1)
		if a := d.lot.Trim(); a != nil {
			d.write(a)
		}
		d.obey()
	}
	if got := d.lot.Stats(); got.Span > 100 {
		t.Errorf("%+v, want no more than 100 records behind the frontier", got)
	}
	d.command(parking.Release, at(1), "a")
	_, heads := d.due(noon)
	d.write(d.lot.Settle(heads[0]))
	if got, _ := d.due(noon); got != nil {
		t.Errorf("%v may run, though it is to be skipped", got)
	}
	d.obey()
	if got := d.lot.Stats(); got.Tickets != 0 {
		t.Errorf("%+v, want nothing to wait", got)
	}
}

func TestAnInjectionSentTwiceIsHandledOnceAndOldOnesMayComeLate(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	inject := func(offset int64) []int64 {
		d.command(parking.Inject, parking.Ticket{Life: "redrive", Offset: offset}, "a")
		got, heads := d.due(noon)
		for _, h := range heads {
			d.write(d.lot.Settle(h))
		}
		return got
	}
	var got []int64
	for _, offset := range []int64{5, 5, 3, 9, 5, 3} {
		got = append(got, inject(offset)...)
	}
	if diff := cmp.Diff([]int64{5, 3, 9}, got); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func TestAnOlderInjectionIsHandledWhileANewerOneOfItsKeyWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	redriven := func(offset int64) parking.Ticket { return parking.Ticket{Life: "redrive", Offset: offset} }
	d.command(parking.Inject, redriven(5), "a")
	_, heads := d.due(noon)
	d.command(parking.Inject, redriven(9), "a")
	d.write(d.lot.Settle(heads[0]))
	d.command(parking.Inject, redriven(3), "a")
	got, _ := d.due(noon)
	if diff := cmp.Diff([]int64{3}, got); diff != "" {
		t.Errorf("may run (-want +got):\n%s", diff)
	}
}

// A record is dead-lettered before it is parked, and its letter may be answered
// at once.
func TestAReleaseGivenBeforeItsTicketIsParkedTakesEffect(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(d *desk) (park func()){
		"its source record is in hand": func(d *desk) func() {
			return func() { d.wait(1, "a", parked) }
		},
		"it is a head in hand": func(d *desk) func() {
			d.wait(1, "a", parking.Entry{Attempts: 1})
			_, heads := d.due(noon)
			return func() { d.write(d.lot.Again(heads[0], parked)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(parking.Config{})
			park := begin(d)
			d.command(parking.Release, at(1), "a")
			park()
			d.catchUp()
			if got, _ := d.due(noon); got != nil {
				t.Fatalf("%v may run, though the key is parked", got)
			}
			d.obey()
			if got, heads := d.due(noon); !cmp.Equal(got, []int64{1}) || heads[0].Redrives != 1 {
				t.Errorf("%v may run, want 1 as released", got)
			}
		})
	}
}

func TestACommandAboutARecordThatIsFinishedHoldsNothingBack(t *testing.T) {
	t.Parallel()
	for name, op := range map[string]parking.Op{"release": parking.Release, "skip": parking.Skip} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(parking.Config{})
			d.command(op, at(5), "a")
			d.lot.Passed(9)
			if front, _ := d.lot.Frontier(5); front == int64(len(d.log)) {
				t.Error("the command is passed over though the record is not finished")
			}
			d.lot.Frontier(6)
			d.obey()
			if front, _ := d.lot.Frontier(6); front != int64(len(d.log)) {
				t.Errorf("the frontier is %d of %d, though nobody waits for the command", front, len(d.log))
			}
		})
	}
}

func TestAReleaseOfAnEarlierRoundDoesNothingToALaterOne(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parked)
	d.catchUp()
	d.command(parking.Release, at(1), "a")
	_, heads := d.due(noon)
	d.command(parking.Release, at(1), "a") // sent twice
	d.write(d.lot.Again(heads[0], parked))
	d.catchUp()
	d.obey()
	if got, _ := d.due(noon); got != nil {
		t.Errorf("%v may run, though it was parked again", got)
	}
}
