package parking_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/parking"
)

func TestArriveAnswersByWhatTheLogSaysOfTheKey(t *testing.T) {
	t.Parallel()
	hold := parking.Entry{Kind: parking.Hold, Key: []byte("a"), Held: true}
	release := parking.Entry{Kind: parking.Hold, Key: []byte("a")}
	old := copyOf(5, "a")
	old.Ticket.Life = "an older topic"
	rewritten := copyOf(5, "a")
	rewritten.Ticket.Epoch = 1
	unordered := copyOf(5, "")
	unordered.Key = nil
	for name, tt := range map[string]struct {
		log  []parking.Entry
		at   int64
		key  []byte
		want parking.Fate
	}{
		"nothing is known":                 {nil, 5, []byte("a"), parking.Handle},
		"another key waits":                {[]parking.Entry{copyOf(4, "b")}, 5, []byte("a"), parking.Handle},
		"an older one of the key waits":    {[]parking.Entry{copyOf(4, "a")}, 5, []byte("a"), parking.Follow},
		"a newer one of the key waits":     {[]parking.Entry{copyOf(6, "a")}, 5, []byte("a"), parking.Follow},
		"it waits itself":                  {[]parking.Entry{copyOf(5, "a")}, 5, []byte("a"), parking.Finished},
		"its mark is there":                {[]parking.Entry{copyOf(5, "a"), markOf(5, "a")}, 5, []byte("a"), parking.Finished},
		"a newer one was settled":          {[]parking.Entry{copyOf(6, "a"), markOf(6, "a")}, 5, []byte("a"), parking.Finished},
		"an older one was settled":         {[]parking.Entry{copyOf(4, "a"), markOf(4, "a")}, 5, []byte("a"), parking.Handle},
		"the key is parked by hand":        {[]parking.Entry{hold}, 5, []byte("a"), parking.Follow},
		"the key is parked no longer":      {[]parking.Entry{hold, release}, 5, []byte("a"), parking.Handle},
		"one of an older topic waits":      {[]parking.Entry{old}, 5, []byte("a"), parking.Handle},
		"it was written over":              {[]parking.Entry{rewritten}, 5, []byte("a"), parking.Follow},
		"without a key, another one waits": {[]parking.Entry{unordered}, 6, nil, parking.Handle},
		"without a key, it waits itself":   {[]parking.Entry{unordered}, 5, nil, parking.Finished},
		"an empty key is one":              {[]parking.Entry{copyOf(4, "")}, 5, []byte{}, parking.Follow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(parking.Config{}, tt.log...)
			got, a := d.lot.Arrive(at(tt.at), tt.key)
			if got != tt.want || (a != nil) != (tt.want == parking.Follow) {
				t.Errorf("Arrive = %d, %v, want %d", got, a, tt.want)
			}
		})
	}
}

func TestAFollowerRunsAtOnceWhenItBecomesHead(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parking.Entry{Attempts: 1, Due: noon.Add(time.Hour)})
	d.follow(t, 2, "a")
	if got, _ := d.due(noon); got != nil {
		t.Errorf("at noon %v may run, want none for an hour", got)
	}
	got, heads := d.due(noon.Add(time.Hour))
	if diff := cmp.Diff([]int64{1}, got); diff != "" {
		t.Fatalf("an hour later (-want +got):\n%s", diff)
	}
	settle := d.lot.Settle(heads[0])
	if got, _ := d.due(noon.Add(time.Hour)); got != nil {
		t.Errorf("%v may run before the mark is acknowledged", got)
	}
	d.write(settle)
	if got, _ = d.due(noon.Add(time.Hour)); !cmp.Equal(got, []int64{2}) {
		t.Errorf("after the mark %v may run, want 2", got)
	}
}

func TestTheOldestOfThoseDueAtOnceGoesFirst(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{}, copyOf(3, "c"), copyOf(1, "a"), copyOf(2, "b"))
	d.lot.Passed(10)
	heads, next := d.lot.Due(noon, 2)
	if len(heads) != 2 || heads[0].Ticket != at(1) || heads[1].Ticket != at(2) || !next.Equal(noon) {
		t.Errorf("Due = %v, %v, want 1 and 2, and more at once", heads, next)
	}
}

func TestAHeadThatIsNoLongerOneIsTakenBack(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{}, copyOf(2, "a"))
	d.lot.Passed(3)
	_, heads := d.due(noon)
	d.follow(t, 1, "a") // it was read again after a crash
	if d.lot.Begin(heads[0]) {
		t.Error("Begin(2) = true, though 1 came before it")
	}
	if got, _ := d.due(noon); !cmp.Equal(got, []int64{1}) {
		t.Errorf("%v may run, want 1", got)
	}
}

func TestAHeadWaitsForTheSourceToBeReadPastIt(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{SourceFrom: 3}, copyOf(2, "a"), copyOf(5, "b"))
	if got, _ := d.due(noon); !cmp.Equal(got, []int64{2}) {
		t.Errorf("%v may run, want 2", got)
	}
	d.lot.Passed(6)
	if got, _ := d.due(noon); !cmp.Equal(got, []int64{5}) {
		t.Errorf("%v may run, want 5", got)
	}
}

func TestTheSourceRestsWhenTheLotIsFullAndNeverBeforeEveryTicketWasPassed(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{MaxTickets: 2}, copyOf(1, "a"), copyOf(7, "b"))
	if d.lot.Full() {
		t.Error("full before the source was read past 7: it could not run")
	}
	d.lot.Passed(8)
	if !d.lot.Full() {
		t.Error("not full with 2 of 2 tickets")
	}
	_, heads := d.due(noon)
	d.write(d.lot.Settle(heads[0]))
	if d.lot.Full() {
		t.Error("full with 1 of 2 tickets")
	}
}

func TestASupersededLotAsksForNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parked)
	d.wait(2, "b", parking.Entry{})
	d.log = append(d.log,
		parking.Entry{Kind: parking.Command, Op: parking.Release, Ticket: at(1), Key: []byte("a"), Since: -1},
		parking.Entry{Kind: parking.Fence, Fence: 2, Since: -1})
	d.catchUp()
	heads, _ := d.lot.Due(noon, 10)
	if !d.lot.Superseded() || heads != nil || d.lot.Commands() != nil || d.lot.Trim() != nil {
		t.Errorf("superseded %v, gives out %v", d.lot.Superseded(), heads)
	}
}

func TestWhatAFormerOwnerWritesLateIsNotRead(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{Committed: 7}, copyOf(1, "a"))
	if got := d.lot.Stats(); got.Tickets != 0 || !d.lot.Quiet() {
		t.Errorf("it was taken in: %+v", got)
	}
}

func TestStatsCountWhatWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parking.Entry{Attempts: 1, Due: noon})
	d.follow(t, 2, "a")
	d.wait(3, "b", parked)
	d.command(parking.Park, parking.Ticket{}, "c")
	want := parking.Stats{Tickets: 3, Keys: 3, Parked: 2, Span: int64(len(d.log) - 1)}
	d.lot.Frontier(4)
	if diff := cmp.Diff(want, d.lot.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestASettledKeyIsForgottenWhenTheSourceHasPassedIt(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	d.wait(1, "a", parking.Entry{})
	_, heads := d.due(noon)
	d.write(d.lot.Settle(heads[0]))
	d.lot.Frontier(2)
	if d.lot.Quiet() {
		t.Error("forgotten before its own copy was read back, which would be taken for news")
	}
	d.catchUp()
	offset, _ := d.lot.Frontier(2)
	if !d.lot.Quiet() || offset != int64(len(d.log)) {
		t.Errorf("quiet %v at %d of %d", d.lot.Quiet(), offset, len(d.log))
	}
}

func TestAForeignRecordHoldsTheFrontierUntilEvidenceWasKept(t *testing.T) {
	t.Parallel()
	d := newDesk(parking.Config{})
	done := d.lot.Stray(1)
	if offset, _ := d.lot.Frontier(0); offset != 1 {
		t.Errorf("frontier at %d, want 1", offset)
	}
	done()
	if offset, fence := d.lot.Frontier(0); offset != 2 || fence != 1 {
		t.Errorf("frontier at %d behind fence %d, want 2 behind 1", offset, fence)
	}
}

func TestTheSpanStaysBoundedWhileSomethingIsParked(t *testing.T) {
	t.Parallel()
	const slack, waiting = 64, 30
	d := newDesk(parking.Config{})
	for i := range int64(20) {
		d.wait(i, "parked"+string(rune('a'+i)), parked)
	}
	for i := range 10 {
		d.command(parking.Park, parking.Ticket{}, "held"+string(rune('a'+i)))
	}
	for i := int64(20); i < 20_000; i++ {
		d.wait(i, "key", parking.Entry{})
		_, heads := d.due(noon)
		d.write(d.lot.Settle(heads[0]))
		d.catchUp()
		d.lot.Frontier(i + 1)
		for a := d.lot.Trim(); a != nil; a = d.lot.Trim() {
			d.write(a)
			d.catchUp()
		}
		if got := d.lot.Stats(); got.Span > slack+2*waiting+2 || got.Parked != waiting {
			t.Fatalf("after %d: %+v", i, got)
		}
	}
}
