package slipway

import (
	"slices"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// The share of records that keep an objective can be told exactly only if its bound
// is an edge of a bucket.
func TestWhatTheContractPromisesOfFreshnessIsAnEdge(t *testing.T) {
	t.Parallel()
	for name, promised := range map[string]time.Duration{"between edges": 45 * time.Second, "an edge": 10 * time.Second, "beyond all": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := sdkmetric.NewManualReader()
			i, err := newInstruments(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), promised)
			if err != nil {
				t.Fatal(err)
			}
			i.entry("svc-a-dev", "orders.v1", true).finished(nil, promised)
			for _, m := range (measured{t, i, reader}).metrics() {
				h, ok := m.Data.(metricdata.Histogram[float64])
				if !ok || m.Name != "kafka.consumer.freshness" {
					continue
				}
				bounds := h.DataPoints[0].Bounds
				at, found := slices.BinarySearch(bounds, promised.Seconds())
				if !found || !slices.IsSorted(bounds) || h.DataPoints[0].BucketCounts[at] != 1 {
					t.Errorf("%v is not an edge of %v, or a record of that age is beyond it", promised, bounds)
				}
			}
		})
	}
}

// A series that begins with its first failure looks as if nothing had failed.
func TestWhatNeverHappenedIsExportedAsNone(t *testing.T) {
	t.Parallel()
	m := measure(t)
	m.entry("svc-a-dev", "orders.v1", false)
	series := m.series()
	for _, result := range resultNames {
		name := `kafka_consumer_messages_processed_total{consumer_group="svc-a-dev",result="` + result + `",topic="orders.v1"}`
		if n, found := series[name]; !found || n != 0 {
			t.Errorf("%s = %v, %v, want 0", name, n, found)
		}
	}
}
