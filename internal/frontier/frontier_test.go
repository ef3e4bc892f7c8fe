package frontier_test

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/internal/frontier"
)

func TestNothingIsCommittedBeforeARecordBegan(t *testing.T) {
	t.Parallel()
	if at, ok := frontier.New().Position(); ok {
		t.Errorf("Position() = %v, want none", at)
	}
}

func TestFrontierIsTheLowestUnfinishedOffset(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := frontier.New()
		gaps := rapid.SliceOfN(rapid.Int64Range(1, 5), 1, 300).Draw(t, "gaps")
		offsets := make([]int64, len(gaps))
		seqs := make([]uint64, len(gaps))
		var at int64
		for i, gap := range gaps {
			at += gap
			offsets[i] = at
			seqs[i] = f.Begin(frontier.Position{Offset: at, Epoch: 7})
		}
		done := make([]bool, len(gaps))
		for _, i := range rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Perm(len(gaps)) {
			f.Finish(seqs[i])
			f.Finish(seqs[i]) // twice changes nothing
			done[i] = true
			got, ok := f.Position()
			if want := lowest(offsets, done); !ok || got.Offset != want || got.Epoch != 7 {
				t.Fatalf("Position() = %v, %v, want offset %d", got, ok, want)
			}
		}
		if f.Open() != 0 {
			t.Errorf("Open() = %d after all finished, want 0", f.Open())
		}
	})
}

func lowest(offsets []int64, done []bool) int64 {
	for i, d := range done {
		if !d {
			return offsets[i]
		}
	}
	return offsets[len(offsets)-1] + 1
}

func TestMemoryFollowsWhatIsOpen(t *testing.T) { // not parallel: it counts allocations
	f := frontier.New()
	allocs := testing.AllocsPerRun(10, func() {
		for range 10_000 {
			f.Finish(f.Begin(frontier.Position{}))
		}
	})
	if allocs > 10 {
		t.Errorf("10,000 records finished at once allocate %v times, want at most 10", allocs)
	}
}
