package frontier_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/frontier"
)

// run returns the positions of n records from an offset on.
func run(offset int64, n int, epoch int32) []frontier.Position {
	batch := make([]frontier.Position, n)
	for i := range batch {
		batch[i] = frontier.Position{Offset: offset + int64(i), Epoch: epoch}
	}
	return batch
}

func TestNothingIsCommittedBeforeARecordBegan(t *testing.T) {
	t.Parallel()
	f := frontier.New()
	if at, ok := f.Position(); ok {
		t.Errorf("Position() = %v, want none", at)
	}
	if at, ahead, ok := f.Ahead(); ok || ahead.Len() > 0 {
		t.Errorf("Ahead() = %v, %v, want none", at, ahead)
	}
	if at, _, ok := f.Head(); ok {
		t.Errorf("Head() = %v, want none", at)
	}
}

func TestARewindForgetsOnlyWhatWillComeAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		finished []int // of 100…199, before the rewind
		to       int64
		want     frontier.Rewind
		position int64 // after the rewind
		last     int64 // after the old records finished too
	}{
		"to an open record":                {to: 150, want: frontier.Rewind{From: 200, To: 150, Forgotten: 50}, position: 100, last: 150},
		"to the frontier":                  {to: 100, want: frontier.Rewind{From: 200, To: 100, Forgotten: 100}, position: 100, last: 100},
		"below everything":                 {to: 20, want: frontier.Rewind{From: 200, To: 20, Forgotten: 100}, position: 20, last: 20},
		"below the frontier":               {finished: span(0, 60), to: 130, want: frontier.Rewind{From: 200, To: 130, Forgotten: 40}, position: 130, last: 130},
		"when all is finished":             {finished: span(0, 100), to: 130, want: frontier.Rewind{From: 200, To: 130}, position: 130, last: 130},
		"with some finished ahead":         {finished: span(10, 100), to: 150, want: frontier.Rewind{From: 200, To: 150, Forgotten: 50}, position: 100, last: 150},
		"the last record once more":        {finished: span(0, 99), to: 199, want: frontier.Rewind{From: 200, To: 199, Forgotten: 1}, position: 199, last: 199},
		"over what was finished below it":  {finished: span(0, 50), to: 150, want: frontier.Rewind{From: 200, To: 150, Forgotten: 50}, position: 150, last: 150},
		"over the end of a finished start": {finished: span(0, 50), to: 151, want: frontier.Rewind{From: 200, To: 151, Forgotten: 49}, position: 150, last: 151},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frontier.New()
			old, back := f.Begin(run(100, 100, 7))
			if back != nil {
				t.Fatalf("the first Begin tells of a rewind: %v", back)
			}
			for _, i := range tt.finished {
				f.Finish(old + uint64(i))
			}
			_, back = f.Begin(run(tt.to, 10, 8))
			if diff := cmp.Diff(&tt.want, back); diff != "" {
				t.Errorf("rewind (-want +got):\n%s", diff)
			}
			if at, _ := f.Position(); at.Offset != tt.position {
				t.Errorf("Position() = %v after the rewind, want %d", at, tt.position)
			}
			for i := range uint64(100) {
				f.Finish(old + i) // the handlers of the old life come back
			}
			if at, _ := f.Position(); at != (frontier.Position{Offset: tt.last, Epoch: 8}) {
				t.Errorf("Position() = %v after the old records finished, want %d of epoch 8", at, tt.last)
			}
			if f.Open() != 10 {
				t.Errorf("Open() = %d, want the 10 of the new life", f.Open())
			}
		})
	}
}

func span(from, to int) []int {
	var all []int
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func TestARewindInsideABatchIsSeen(t *testing.T) {
	t.Parallel()
	f := frontier.New()
	batch := append(run(50, 10, 1), run(30, 5, 2)...)
	first, back := f.Begin(append(batch, run(20, 1, 2)...))
	want := &frontier.Rewind{From: 60, To: 20, Forgotten: 15}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("rewind (-want +got):\n%s", diff)
	}
	f.Finish(first + 15)
	if at, _ := f.Position(); at.Offset != 21 || f.Open() != 0 {
		t.Errorf("Position() = %v with %d open, want 21 with none", at, f.Open())
	}
}

func TestTheHeadTellsSinceWhenItStands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := frontier.New()
		start := time.Now()
		seq, _ := f.Begin(run(5, 3, 0))
		requireHead(t, f, 5, start)
		<-time.After(time.Minute)
		f.Finish(seq + 1)
		f.Begin(run(8, 1, 0))
		requireHead(t, f, 5, start) // stuck
		f.Finish(seq)
		requireHead(t, f, 7, start.Add(time.Minute))
		f.Finish(seq + 2)
		f.Finish(seq + 3)
		if at, _, ok := f.Head(); ok {
			t.Errorf("Head() = %v, want none", at)
		}
		<-time.After(time.Minute)
		f.Begin(run(9, 1, 0))
		requireHead(t, f, 9, start.Add(2*time.Minute))
	})
}

func requireHead(t *testing.T, f *frontier.Frontier, offset int64, since time.Time) {
	t.Helper()
	if at, got, ok := f.Head(); !ok || at.Offset != offset || !got.Equal(since) {
		t.Errorf("Head() = %v, %v, %v, want offset %d since %v", at, got, ok, offset, since)
	}
}

// Workers finish at random while the reader begins, looks and goes back.
func TestManyFinishAtOnce(t *testing.T) {
	t.Parallel()
	const workers, batch, rounds = 4, 700, 300
	f := frontier.New()
	work := make(chan uint64, 3*batch)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for seq := range work {
				f.Finish(seq)
			}
		})
	}
	var offset, last int64
	for n := range rounds {
		if n%50 == 49 {
			offset -= batch / 2
			last = 0
		}
		first, _ := f.Begin(run(offset, batch, int32(n/50)))
		offset += batch
		for _, i := range rand.Perm(batch) {
			work <- first + uint64(i)
		}
		at, ahead, _ := f.Ahead()
		if at.Offset < last || ahead.End() > offset {
			t.Fatalf("frontier at %v after %d, ahead to %d of %d", at, last, ahead.End(), offset)
		}
		last = at.Offset
	}
	close(work)
	all.Wait()
	if at, _ := f.Position(); at.Offset != offset || f.Open() != 0 {
		t.Errorf("Position() = %v with %d open, want %d with none", at, f.Open(), offset)
	}
}

func TestMemoryFollowsWhatIsOpen(t *testing.T) { // not parallel: it counts allocations
	f := frontier.New()
	batch := make([]frontier.Position, 100)
	var offset int64
	allocs := testing.AllocsPerRun(10, func() {
		for range 1_024 {
			for i := range batch {
				batch[i].Offset = offset
				offset += 2 // no two of them are consecutive
			}
			first, _ := f.Begin(batch)
			for i := range batch {
				f.Finish(first + uint64(i))
			}
		}
	})
	if allocs > 110 { // a bitmap for each 1,024
		t.Errorf("102,400 records allocate %v times, want at most 110", allocs)
	}
}
