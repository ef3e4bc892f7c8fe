package history_test

import (
	"testing"

	"github.com/slipway-go/slipway/slipwaytest/history"
)

// BenchmarkCheck judges a history of about a million events.
func BenchmarkCheck(b *testing.B) {
	events := clean(1, 150_000).shuffled()
	b.ReportAllocs()
	for b.Loop() {
		if v := history.Check(events); !v.OK() {
			b.Fatal(v)
		}
	}
	b.ReportMetric(float64(len(events)), "events")
	b.ReportMetric(float64(len(events))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
