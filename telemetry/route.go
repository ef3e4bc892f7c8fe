package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slipway-go/slipway/diag"
)

// A route is the way of one signal to one exporter, and what became of what went
// there. It is safe for concurrent use.
type route struct {
	signal, exporter string
	base             context.Context
	log              *slog.Logger

	exports  [2]atomic.Int64 // by failed
	full     atomic.Int64    // spans that found no room
	failed   atomic.Int64    // spans that could not be sent
	mu       sync.Mutex
	since    time.Time // when exports began to fail; zero while they succeed
	lostThen int64
}

func (s *setup) route(signal string, e Exporter) *route {
	r := &route{signal: signal, exporter: e.Name(), base: s.base, log: s.log}
	s.routes = append(s.routes, r)
	return r
}

// bound returns ctx, which ends too when the shutdown's time is over.
func (r *route) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.base, func() { cancel(context.Cause(r.base)) })
	return ctx, func() { stop(); cancel(nil) }
}

// exported notes how an export of n things ended, and tells it if it is the
// first of its kind.
func (r *route) exported(n int, err error) {
	if err == nil {
		r.exports[0].Add(1)
	} else {
		r.exports[1].Add(1)
		r.failed.Add(int64(n))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil && r.since.IsZero():
		r.since, r.lostThen = time.Now(), r.full.Load()+r.failed.Load()-int64(n)
		r.log.Warn("telemetry does not arrive", "code", diag.TelemetryAway, "signal", r.signal, "exporter", r.exporter, "error", brief(err))
	case err == nil && !r.since.IsZero():
		r.log.Info("telemetry arrives again", "signal", r.signal, "exporter", r.exporter,
			"after", time.Since(r.since).Round(time.Millisecond), "dropped", r.full.Load()+r.failed.Load()-r.lostThen)
		r.since = time.Time{}
	}
}

// maxError bounds what another side can write into the log.
const maxError = 400

func brief(err error) string {
	text := err.Error()
	if len(text) > maxError {
		text = text[:maxError] + "…"
	}
	return diag.Escape(text)
}

// count makes the metrics of telemetry itself.
func (s *setup) count(provider metric.MeterProvider) {
	meter := provider.Meter("github.com/slipway-go/slipway/telemetry")
	dropped, _ := meter.Int64ObservableCounter("slipway.telemetry.dropped", metric.WithUnit("{span}"),
		metric.WithDescription("Spans that were not sent: for want of room in the queue, or because the export failed."))
	exports, _ := meter.Int64ObservableCounter("slipway.telemetry.exports", metric.WithUnit("{export}"),
		metric.WithDescription("Exports by how they ended."))
	_, _ = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, r := range s.routes {
			signal, exporter := attribute.String("signal", r.signal), attribute.String("exporter", r.exporter)
			for i, result := range [...]string{"ok", "failed"} {
				o.ObserveInt64(exports, r.exports[i].Load(), metric.WithAttributes(signal, exporter, attribute.String("result", result)))
			}
			if r.signal == signalTraces {
				o.ObserveInt64(dropped, r.full.Load(), metric.WithAttributes(signal, exporter, attribute.String("reason", "full")))
				o.ObserveInt64(dropped, r.failed.Load(), metric.WithAttributes(signal, exporter, attribute.String("reason", "failed")))
			}
		}
		return nil
	}, dropped, exports)
}
