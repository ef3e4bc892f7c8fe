package slipway_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// read returns what a reader collects, by name and the labels that tell series
// of one entry apart; of a histogram the number of values.
func read(t *testing.T, reader *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, m := range all.ScopeMetrics[0].Metrics {
		each(m, func(labels map[string]string, v float64) {
			name := m.Name
			for _, l := range []string{"kind", "reason", "result", "state", "attempt"} {
				if labels[l] != "" {
					name += " " + labels[l]
				}
			}
			got[name] += v // over partitions
		})
	}
	return got
}

func each(m metricdata.Metrics, f func(labels map[string]string, v float64)) {
	switch d := m.Data.(type) {
	case metricdata.Gauge[int64]:
		points(d.DataPoints, f)
	case metricdata.Gauge[float64]:
		points(d.DataPoints, f)
	case metricdata.Sum[int64]:
		points(d.DataPoints, f)
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			f(labelsOf(p.Attributes.ToSlice()), float64(p.Count))
		}
	}
}

func points[N int64 | float64](all []metricdata.DataPoint[N], f func(map[string]string, float64)) {
	for _, p := range all {
		f(labelsOf(p.Attributes.ToSlice()), float64(p.Value))
	}
}

func labelsOf(set []attribute.KeyValue) map[string]string {
	labels := make(map[string]string)
	for _, kv := range set {
		labels[string(kv.Key)] = kv.Value.String()
	}
	return labels
}

func TestAWholeLifeIsCountedRight(t *testing.T) {
	t.Parallel()
	readers := []*sdkmetric.ManualReader{}
	configure := func(cfg *slipway.Config) {
		readers = append(readers, sdkmetric.NewManualReader())
		cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(readers[len(readers)-1]))
	}
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		closed := errors.New("warehouse is closed")
		switch id := m.Value.OrderID; {
		case id == "again" && m.Attempt == 1:
			return closed
		case id == "refused":
			return slipway.Reject(closed)
		case id == "skipped":
			return slipway.Skip(closed)
		case id == "parked":
			return slipway.Park(closed)
		}
		return nil
	}
	fs := files("park")
	fs["slipway.yaml"].Data = append(fs["slipway.yaml"].Data, "slo: {freshness: {p99: 1m}}\n"...)
	slipwaytest.RunAll(t, []slipwaytest.Service{{Files: fs, Wire: ship(handle), Configure: configure}}, func(t *testing.T, k *slipwaytest.Kit) {
		for n, id := range []string{"good", "good", "again", "refused", "skipped", "parked", "parked"} {
			k.Send(orders, order{id, int64(n)}, slipwaytest.Key(id), slipwaytest.Partition(0))
		}
		k.SendBytes(orders, []byte("torn"), []byte("no Avro"), slipwaytest.Partition(1))
		k.Advance(time.Minute)
		k.Start("shipper") // and the partitions are shared
		k.Advance(time.Minute)
		k.Stop("shipper")
		k.Advance(time.Minute)
		got := read(t, readers[0])
		want := map[string]float64{
			"messaging.client.consumed.messages":              8,
			"kafka.consumer.messages.processed ok":            3,
			"kafka.consumer.messages.processed retried":       1,
			"kafka.consumer.messages.processed rejected":      1,
			"kafka.consumer.messages.processed skipped":       1,
			"kafka.consumer.messages.processed parked":        1,
			"kafka.consumer.messages.processed dead-lettered": 1,
			"kafka.message.processing.duration ok first":      2,
			"kafka.message.processing.duration ok retry":      1,
			"kafka.message.processing.duration failed first":  5,
			"kafka.consumer.deadletters.written rejected":     1,
			"kafka.consumer.deadletters.written parked":       1,
			"kafka.consumer.deadletters.written undecodable":  1,
			"kafka.consumer.deadletters.depth":                3,
			"kafka.consumer.freshness":                        6, // all but the parked key's
			"kafka.consumer.held.keys parked":                 1,
			"kafka.consumer.held.keys waiting":                0,
			"kafka.consumer.rebalances lost":                  0,
			"kafka.consumer.rebalances revoked":               1,
			"kafka.consumer.repeats":                          0,
			"kafka.consumer.watchdog.hits":                    0,
			"kafka.consumer.lag":                              0,
			"kafka.consumer.breaker.state closed":             1,
			"kafka.consumer.commits failed":                   0,
		}
		for name, n := range want {
			if v, ok := got[name]; !ok || v != n {
				t.Errorf("%s = %v (%v), want %v", name, v, ok, n)
			}
		}
		if n := got["kafka.consumer.rebalances assigned"]; n < 2 {
			t.Errorf("assigned %v times, want twice at least", n)
		}
		if age := got["kafka.consumer.deadletters.age"]; age < 120 || age > 200 {
			t.Errorf("the oldest dead letter is %v seconds old, want about three minutes", age)
		}
		for name := range got {
			if strings.HasPrefix(name, "kafka.consumer.messages.processed ") {
				if _, ok := want[name]; !ok {
					t.Errorf("unexpected %s", name)
				}
			}
		}
	})
}
