package lane_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/lane"
)

// work is as large as what the runtime queues for a record.
type work struct {
	state *int
	seq   uint64
	_     [2]uint64
}

// feed adds n items of many lanes in batches, as a poll brings them, with at
// most a backlog of them open, and returns when all are finished.
func feed(p *lane.Pool[work], n, lanes, backlog int) {
	batch := make([]lane.Item[work], 500)
	state := new(int)
	for i := 0; i < n; {
		for p.Stats().Queued > backlog {
			<-time.After(100 * time.Microsecond) // as long as a fetch takes
		}
		k := min(len(batch), n-i)
		for j := range k {
			batch[j] = lane.Item[work]{Lane: uint64(i%lanes) * 0x9E3779B97F4A7C15, Value: work{state: state, seq: uint64(i)}}
			i++
		}
		p.Add(batch[:k])
	}
	for p.Stats().Queued > 0 {
		<-time.After(100 * time.Microsecond)
	}
}

// BenchmarkEmptyItem is what the pool adds to a record, by its mode.
func BenchmarkEmptyItem(b *testing.B) {
	for name, tt := range map[string]struct{ workers, batch, lanes int }{
		"hashed, 1000 workers": {1000, 1, 10_000},
		"hashed, 1 worker":     {1, 1, 10_000},
		"exact, in pairs":      {1000, 2, 10_000}, // it would not stay exact with single ones
		"exact, in hundreds":   {1000, 100, 6},
	} {
		b.Run(name, func(b *testing.B) {
			p := lane.New(tt.workers, func(uint64, []work) lane.Verdict { return lane.Done() })
			p.Batch(tt.batch)
			feed(p, 100_000, tt.lanes, 20_000) // the pool learns what it deals with
			b.ReportAllocs()
			b.ResetTimer()
			feed(p, b.N, tt.lanes, 20_000)
			b.ReportMetric(float64(p.Stats().Switches), "switches")
		})
	}
}

// BenchmarkSleepingItem reports the share of the arithmetic limit, workers by
// time of an item, that is reached.
func BenchmarkSleepingItem(b *testing.B) {
	const workers = 1000
	for _, sleep := range []time.Duration{time.Millisecond, 5 * time.Millisecond} {
		b.Run(sleep.String(), func(b *testing.B) {
			var n atomic.Int64
			p := lane.New(workers, func(uint64, []work) lane.Verdict {
				<-time.After(sleep)
				n.Add(1)
				return lane.Done()
			})
			feed(p, 10_000, 10_000, 20_000)
			b.ResetTimer()
			begun := time.Now()
			feed(p, b.N, 10_000, 20_000)
			limit := float64(b.N) * sleep.Seconds() / workers
			b.ReportMetric(limit/time.Since(begun).Seconds(), "of-limit")
		})
	}
}

// BenchmarkBareSleep is what the machine's timers and scheduler leave of the
// limit where nothing is queued at all.
func BenchmarkBareSleep(b *testing.B) {
	for _, sleep := range []time.Duration{time.Millisecond, 5 * time.Millisecond} {
		b.Run(sleep.String(), func(b *testing.B) {
			var n atomic.Int64
			var wg sync.WaitGroup
			begun := time.Now()
			for range 1000 {
				wg.Go(func() {
					for n.Add(1) <= int64(b.N) {
						<-time.After(sleep)
					}
				})
			}
			wg.Wait()
			limit := float64(b.N) * sleep.Seconds() / 1000
			b.ReportMetric(limit/time.Since(begun).Seconds(), "of-limit")
		})
	}
}
