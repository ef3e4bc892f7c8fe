package telemetry_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/telemetry"
)

func TestACallerIsJoinedByTheHeadersItHas(t *testing.T) {
	t.Parallel()
	const (
		w3c = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		b3  = "463ac35c9f6413ad48485a3953bb6124-0020000000000001-1"
	)
	for name, tt := range map[string]struct {
		propagators string
		headers     propagation.MapCarrier
		trace       string
		written     []string
	}{
		"W3C":                {"", propagation.MapCarrier{"traceparent": w3c}, "0af7651916cd43dd8448eb211c80319c", []string{"traceparent"}},
		"a mesh's B3":        {"", propagation.MapCarrier{"b3": b3}, "463ac35c9f6413ad48485a3953bb6124", []string{"traceparent"}},
		"B3 in parts":        {"", propagation.MapCarrier{"x-b3-traceid": b3[:32], "x-b3-spanid": b3[33:49], "x-b3-sampled": "1"}, b3[:32], []string{"traceparent"}},
		"both: W3C":          {"", propagation.MapCarrier{"traceparent": w3c, "b3": b3}, "0af7651916cd43dd8448eb211c80319c", []string{"traceparent"}},
		"neither":            {"", propagation.MapCarrier{"x-request-id": "7"}, "00000000000000000000000000000000", nil},
		"only W3C wished":    {"tracecontext", propagation.MapCarrier{"b3": b3}, "00000000000000000000000000000000", nil},
		"only B3 wished":     {"b3", propagation.MapCarrier{"traceparent": w3c, "b3": b3}, b3[:32], []string{"b3"}},
		"B3 in parts wished": {"b3multi", propagation.MapCarrier{"b3": b3}, b3[:32], []string{"x-b3-sampled", "x-b3-spanid", "x-b3-traceid"}},
		"none":               {"none", propagation.MapCarrier{"traceparent": w3c, "b3": b3}, "00000000000000000000000000000000", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := setup(t, telemetry.Config{Lookup: lookup(map[string]string{"OTEL_PROPAGATORS": tt.propagators})})
			ctx := got.Propagator.Extract(t.Context(), tt.headers)
			if id := trace.SpanContextFromContext(ctx).TraceID().String(); id != tt.trace {
				t.Errorf("the trace is %s, want %s", id, tt.trace)
			}
			out := propagation.MapCarrier{}
			got.Propagator.Inject(ctx, out)
			if diff := cmp.Diff(tt.written, slices.Sorted(maps.Keys(out))); diff != "" {
				t.Errorf("headers written (-want +got):\n%s", diff)
			}
		})
	}
}
