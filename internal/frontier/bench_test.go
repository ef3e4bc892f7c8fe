package frontier_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/slipway-go/slipway/internal/frontier"
)

// One goroutine begins batches of 1,000, some others finish what it began,
// each taking 64 neighbours or, the worst case for caches, every nth record.
func BenchmarkBeginAndFinish(b *testing.B) {
	const size = 1_000
	for _, workers := range []int{1, 2, 4} {
		for _, spread := range []string{"neighbours", "interleaved"} {
			b.Run(fmt.Sprintf("%d/%s", workers, spread), func(b *testing.B) {
				f := frontier.New()
				batch := make([]frontier.Position, size)
				var offset int64
				b.ReportAllocs()
				var all sync.WaitGroup
				starts := make([]chan uint64, workers)
				for w := range starts {
					starts[w] = make(chan uint64, 16)
					all.Go(func() { finishShare(f, starts[w], w, workers, size, spread == "interleaved") })
				}
				for n := 0; n < b.N; n += size {
					for i := range batch {
						batch[i] = frontier.Position{Offset: offset, Epoch: 3}
						offset++
					}
					first, _ := f.Begin(batch)
					for _, start := range starts {
						start <- first
					}
				}
				for _, start := range starts {
					close(start)
				}
				all.Wait()
			})
		}
	}
}

func finishShare(f *frontier.Frontier, starts <-chan uint64, w, workers, size int, interleaved bool) {
	for first := range starts {
		if interleaved {
			for i := w; i < size; i += workers {
				f.Finish(first + uint64(i))
			}
			continue
		}
		for i := w * size / workers; i < (w+1)*size/workers; i++ {
			f.Finish(first + uint64(i))
		}
	}
}

func BenchmarkFinish(b *testing.B) {
	f := frontier.New()
	first, _ := f.Begin(run(0, 100_000, 1))
	var i uint64
	b.ReportAllocs()
	for b.Loop() {
		f.Finish(first + i%100_000)
		i++
	}
}

// BenchmarkBeginWithGaps has an offset missing after every record, the worst a
// compacted topic can do.
func BenchmarkBeginWithGaps(b *testing.B) {
	f := frontier.New()
	batch := make([]frontier.Position, 1_000)
	var offset int64
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(batch) {
		for i := range batch {
			batch[i].Offset = offset
			offset += 2
		}
		first, _ := f.Begin(batch)
		for i := range batch {
			f.Finish(first + uint64(i))
		}
	}
}

func BenchmarkAhead(b *testing.B) {
	f := scattered(100_000, 3)
	for b.Loop() {
		f.Ahead()
	}
}
