package serve

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"go.opentelemetry.io/contrib/propagators/b3"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
)

// A front is an edge under test with what it tells.
type front struct {
	http.Handler
	kept    *tracetest.InMemoryExporter
	metrics *sdkmetric.ManualReader
	log     bytes.Buffer
	ids     []string // that handlers were given
	traces  []string
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{kept: tracetest.NewInMemoryExporter(), metrics: sdkmetric.NewManualReader()}
	app, err := slipway.New(slipway.Config{
		Files: fstest.MapFS{"slipway.yaml": {Data: []byte(consuming)}}, Environment: slipway.Environment{Name: "dev"},
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(f.kept)),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(f.metrics)),
		Logger:         slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	note := func(r *http.Request) {
		f.ids = append(f.ids, RequestID(r.Context()))
		f.traces = append(f.traces, trace.SpanContextFromContext(r.Context()).TraceID().String())
	}
	app.Mux().HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		note(r)
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, "an order")
	})
	app.Mux().HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		note(r)
		http.Error(w, "the database is away", http.StatusInternalServerError)
	})
	app.Mux().HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("the test's panic") })
	app.Mux().HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
	})
	joined := propagation.NewCompositeTextMapPropagator(b3.New(), propagation.TraceContext{})
	f.Handler = newEdge(app, func() propagation.TextMapPropagator { return joined }, app.Mux())
	return f
}

// ask sends a request and returns the response and its span.
func (f *front) ask(t *testing.T, method, path string, headers ...string) (*httptest.ResponseRecorder, tracetest.SpanStub) {
	t.Helper()
	f.kept.Reset()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if v := recover(); v != nil && v != "the test's panic" {
				panic(v)
			}
		}()
		f.ServeHTTP(w, r)
	}()
	spans := f.kept.GetSpans()
	if len(spans) != 1 {
		t.Fatalf("%s %s has %d spans, want one", method, path, len(spans))
	}
	return w, spans[0]
}

func attributesOf(s tracetest.SpanStub) map[string]string {
	all := make(map[string]string)
	for _, a := range s.Attributes {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestARequestJoinsTheTraceThatItsCallerNames(t *testing.T) {
	t.Parallel()
	const id, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for name, headers := range map[string][]string{
		"W3C":         {"traceparent", "00-" + id + "-" + span + "-01"},
		"B3 single":   {"b3", id + "-" + span + "-1"},
		"B3 multiple": {"X-B3-TraceId", id, "X-B3-SpanId", span, "X-B3-ParentSpanId", "05e3ac9a4f6e3b90", "X-B3-Sampled", "1"},
	} {
		f := newFront(t)
		_, s := f.ask(t, http.MethodGet, "/orders/o-1", append(headers, "x-request-id", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")...)
		if s.SpanContext.TraceID().String() != id || s.Parent.SpanID().String() != span || f.traces[0] != id {
			t.Errorf("%s: the span is the child of %s in %s, want %s in %s", name, s.Parent.SpanID(), s.SpanContext.TraceID(), span, id)
		}
	}
	f := newFront(t)
	if _, s := f.ask(t, http.MethodGet, "/orders/o-1", "x-request-id", id); s.Parent.IsValid() || s.SpanContext.TraceID().String() == id {
		t.Errorf("a request with nothing but an x-request-id is in %s under %s, want a trace of its own", s.SpanContext.TraceID(), s.Parent.SpanID())
	}
}

func TestARequestIsNamedAfterItsRoute(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method, path string
		name         string
		want         map[string]string
		failed       bool
	}{
		"answered":          {"GET", "/orders/o-secret?token=s3", "GET /orders/{id}", map[string]string{"http.route": "/orders/{id}", "http.response.status_code": "200"}, false},
		"failed":            {"POST", "/orders", "POST /orders", map[string]string{"http.response.status_code": "500", "error.type": "500"}, true},
		"unknown path":      {"GET", "/nowhere/o-secret", "GET", map[string]string{"http.response.status_code": "404", "http.route": "", "error.type": ""}, false},
		"unknown method":    {"FROB", "/orders/o-secret", "HTTP", map[string]string{"http.request.method": "_OTHER", "http.response.status_code": "405"}, false},
		"panicked":          {"GET", "/panic", "GET /panic", map[string]string{"error.type": "panic", "http.response.status_code": "500"}, true},
		"flushed":           {"GET", "/stream", "GET /stream", map[string]string{"http.response.status_code": "200"}, false},
		"announced a while": {"GET", "/orders/1", "GET /orders/{id}", map[string]string{"http.response.status_code": "200"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := newFront(t).ask(t, tt.method, tt.path)
			if s.Name != tt.name || s.SpanKind != trace.SpanKindServer || (s.Status.Code == codes.Error) != tt.failed {
				t.Errorf("span %q of kind %v with status %v, want %q", s.Name, s.SpanKind, s.Status, tt.name)
			}
			got := attributesOf(s)
			for k, v := range tt.want {
				if got[k] != v {
					t.Errorf("%s = %q, want %q", k, got[k], v)
				}
			}
			if text := fmt.Sprint(s.Name, s.Attributes); strings.Contains(text, "o-secret") || strings.Contains(text, "s3") {
				t.Errorf("the span says what only the caller should know: %s", text)
			}
		})
	}
}

func TestARequestKeepsItsIDAndAnOddOneGetsAnother(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		given string
		kept  bool
	}{
		"given":         {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true},
		"none":          {"", false},
		"forging a log": {"7\nlevel=ERROR", false},
		"a word more":   {"7 status=500", false},
		"too long":      {strings.Repeat("7", maxRequestID+1), false},
		"not ASCII":     {"ä", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t)
			w, s := f.ask(t, http.MethodPost, "/orders", "X-Request-Id", tt.given)
			id := w.Header().Get("X-Request-Id")
			if (id == tt.given) != tt.kept || id == "" || f.ids[0] != id {
				t.Errorf("the response has the id %q and the handler %q, want %q: %v", id, f.ids[0], tt.given, tt.kept)
			}
			if got := attributesOf(s)["http.request.header.x-request-id"]; got != `["`+id+`"]` {
				t.Errorf("the span has the id %s, want %s", got, id)
			}
			if !strings.Contains(f.log.String(), "request_id="+id) {
				t.Errorf("the log does not have the id: %s", &f.log)
			}
		})
	}
}

func TestRequestsAreMeasuredByRoute(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.ask(t, http.MethodGet, "/orders/o-1")
	f.ask(t, http.MethodGet, "/orders/o-2")
	f.ask(t, http.MethodPost, "/orders")
	var all metricdata.ResourceMetrics
	if err := f.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]uint64)
	for _, m := range all.ScopeMetrics[0].Metrics {
		if m.Name != "http.server.request.duration" || m.Unit != "s" {
			t.Errorf("metric %s in %s", m.Name, m.Unit)
		}
		for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
			route, _ := p.Attributes.Value("http.route")
			status, _ := p.Attributes.Value("http.response.status_code")
			got[route.AsString()+" "+status.String()] = p.Count
			if _, there := p.Attributes.Value("http.request.header.x-request-id"); there {
				t.Error("the request's id is a label")
			}
		}
	}
	if len(got) != 2 || got["/orders/{id} 200"] != 2 || got["/orders 500"] != 1 {
		t.Errorf("measured %v", got)
	}
}
