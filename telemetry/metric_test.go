package telemetry_test

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/slipway-go/slipway/telemetry"
)

type overflowed struct {
	sets   int
	shared int64
}

// overflow counts once for each of n labels, and returns what became of them.
func overflow(t *testing.T, got *telemetry.Telemetry, reader *sdkmetric.ManualReader, n int) (all overflowed) {
	t.Helper()
	counter, err := got.Meter.Meter("test").Int64Counter("things")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		counter.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("customer", i)))
	}
	for _, m := range collect(t, reader) {
		sum, ok := m.Data.(metricdata.Sum[int64])
		if m.Name != "things" || !ok {
			continue
		}
		for _, p := range sum.DataPoints {
			all.sets++
			if p.Attributes.HasValue("otel.metric.overflow") {
				all.shared = p.Value
			}
		}
	}
	return all
}
