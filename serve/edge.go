package serve

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	slipway "github.com/slipway-go/slipway"
)

const (
	scope           = "github.com/slipway-go/slipway/serve"
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// bounds are those that the conventions give the histogram of durations.
var bounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// Edge is where requests come in: it gives each a span, an id and a place in the
// metric http.server.request.duration, after OpenTelemetry's conventions. A
// service that listens by serve has it in front of its own endpoints; one that
// listens by itself puts it there.
//
// A span belongs to the trace that the caller names, in the forms that the
// program's propagator reads: W3C's traceparent and B3, unless OTEL_PROPAGATORS
// says otherwise. It is named after the pattern that the request matched, and
// holds no path and no query, where customers' ids stand.
//
// The request's id is the caller's X-Request-Id if that is at most 128 printable
// characters, and else a new one. It comes back with the response, is in the
// span and in the log beside the trace's id, and is never the trace's id itself:
// a proxy gives one to every hop.
func Edge(app *slipway.App, next http.Handler) http.Handler {
	return newEdge(app, otel.GetTextMapPropagator, next)
}

// RequestID is the id of the request that a context belongs to, "" for none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestID{}).(string)
	return id
}

type requestID struct{}

type edge struct {
	app        *slipway.App
	next       http.Handler
	propagator func() propagation.TextMapPropagator
	tracer     trace.Tracer
	duration   metric.Float64Histogram
}

func newEdge(app *slipway.App, propagator func() propagation.TextMapPropagator, next http.Handler) *edge {
	e := &edge{app: app, next: next, propagator: propagator, tracer: app.TracerProvider().Tracer(scope)}
	var err error
	e.duration, err = app.MeterProvider().Meter(scope).Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a request to the end of its response."), metric.WithExplicitBucketBoundaries(bounds...))
	if err != nil {
		otel.Handle(err) // what the histogram is then drops what it is given
	}
	return e
}

// ServeHTTP implements [http.Handler].
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, id := time.Now(), identify(r)
	w.Header().Set(requestIDHeader, id)
	ctx := e.propagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	method, name := methodOf(r)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	about := []attribute.KeyValue{attribute.String("http.request.method", method), attribute.String("url.scheme", scheme)}
	ctx, span := e.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(about...),
		trace.WithAttributes(attribute.StringSlice("http.request.header.x-request-id", []string{id})))
	out, within := &response{ResponseWriter: w}, r.WithContext(context.WithValue(ctx, requestID{}, id))
	panicked := true
	defer func() {
		about = append(about, out.about(panicked)...)
		if route := routeOf(within); route != "" {
			about, name = append(about, attribute.String("http.route", route)), name+" "+route
		}
		e.duration.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(about...))
		end(span, name, about[2:])
		e.log(ctx, name, id, out.result(panicked), time.Since(began))
	}()
	e.next.ServeHTTP(out, within)
	panicked = false
}

// end ends a request's span.
func end(span trace.Span, name string, about []attribute.KeyValue) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	span.SetName(name)
	span.SetAttributes(about...)
	for _, a := range about {
		if a.Key == errorType {
			span.SetStatus(codes.Error, a.Value.AsString())
		}
	}
}

// log tells of a request, loudly if the service could not answer it.
func (e *edge) log(ctx context.Context, name, id string, status int, took time.Duration) {
	args := []any{"request", name, "request_id", id, "status", status, "duration", took}
	if status >= http.StatusInternalServerError {
		e.app.Logger().WarnContext(ctx, "request failed", args...)
		return
	}
	e.app.Logger().DebugContext(ctx, "request answered", args...)
}

// identify is the id of a request. One that somebody could forge log lines with,
// or fill them, is not taken over.
func identify(r *http.Request) string {
	id := r.Header.Get(requestIDHeader)
	odd := strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' })
	if id == "" || len(id) > maxRequestID || odd {
		return rand.Text()
	}
	return id
}

// methodOf is a request's method for the metric and for the span's name. There
// are as many others as a caller can think of.
func methodOf(r *http.Request) (method, name string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace, "QUERY":
		return r.Method, r.Method
	}
	return "_OTHER", "HTTP"
}

// routeOf is the pattern that a request matched, without its method; "" if none
// did.
func routeOf(r *http.Request) string {
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		return strings.TrimLeft(path, " \t")
	}
	return r.Pattern
}

const errorType = attribute.Key("error.type")

// about are the attributes of a response. Only what the service itself failed at
// is an error.
func (w *response) about(panicked bool) []attribute.KeyValue {
	status := w.result(panicked)
	all := []attribute.KeyValue{attribute.Int("http.response.status_code", status)}
	switch {
	case panicked:
		all = append(all, errorType.String("panic"))
	case status >= http.StatusInternalServerError:
		all = append(all, errorType.String(strconv.Itoa(status)))
	}
	return all
}
