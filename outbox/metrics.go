package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// meters are what a relay measures of itself. An instance exports what belongs
// to its shards, so a sum over instances is the service's.
type meters struct {
	held, lost, failed atomic.Int64
	marked, refused    atomic.Int64
	rows, oldest       atomic.Int64 // the backlog, when it was counted last; microseconds since 1970

	latency metric.Float64Histogram
	round   metric.Float64Histogram

	registration metric.Registration
}

// meter begins to export.
func (r *relay) meter(provider metric.MeterProvider) error {
	m, meter := r.meters, provider.Meter("github.com/slipway-go/slipway/outbox")
	var errs []error
	observable := func(name, unit, what string, gauge bool) metric.Int64Observable {
		var o metric.Int64Observable
		var err error
		if gauge {
			o, err = meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
		} else {
			o, err = meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
		}
		errs = append(errs, err)
		return o
	}
	histogram := func(name, what string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what),
			metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300))
		errs = append(errs, err)
		return h
	}
	m.latency = histogram("slipway.outbox.publish.latency", "How long it took from writing a row to the acknowledgement of its record.")
	m.round = histogram("slipway.outbox.database.duration", "How long a transaction of the relay took.")
	backlog := observable("slipway.outbox.backlog", "{row}", "Rows that wait to be published, at most 100,000.", true)
	age, err := meter.Float64ObservableGauge("slipway.outbox.backlog.age", metric.WithUnit("s"), metric.WithDescription("How old the oldest row is that waits to be published."))
	errs = append(errs, err)
	held := observable("slipway.outbox.shards", "{shard}", "Shards that this instance relays, of 16.", true)
	keys := observable("slipway.outbox.stuck", "{key}", "Keys that wait for a row that the cluster refuses.", true)
	published := observable("slipway.outbox.published", "{row}", "Rows that were published and deleted.", false)
	failed := observable("slipway.outbox.publish.failed", "{attempt}", "Attempts to publish a row that failed.", false)
	lost := observable("slipway.outbox.leases.lost", "{lease}", "Shards that another instance took over.", false)
	unmarked := observable("slipway.outbox.marks.refused", "{row}", "Published rows that were not there any more to be deleted, or another instance's.", false)
	again := observable("slipway.inbox.duplicates", "{message}", "Messages that came again and were done already.", false)
	forgotten := observable("slipway.inbox.forgotten", "{id}", "Ids of messages that were deleted after their time.", false)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("make metrics of outbox: %w", err)
	}
	m.registration, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(backlog, m.rows.Load())
		if since := m.oldest.Load(); since > 0 {
			o.ObserveFloat64(age, time.Since(time.UnixMicro(since)).Seconds())
		} else {
			o.ObserveFloat64(age, 0)
		}
		o.ObserveInt64(held, m.held.Load())
		o.ObserveInt64(keys, int64(r.state.stuckKeys()))
		o.ObserveInt64(published, m.marked.Load())
		o.ObserveInt64(failed, m.failed.Load())
		o.ObserveInt64(lost, m.lost.Load())
		o.ObserveInt64(unmarked, m.refused.Load())
		o.ObserveInt64(again, inboxOf(r.cfg.DB).duplicates.Load())
		o.ObserveInt64(forgotten, inboxOf(r.cfg.DB).forgotten.Load())
		return nil
	}, backlog, age, held, keys, published, failed, lost, unmarked, again, forgotten)
	if err != nil {
		return fmt.Errorf("make metrics of outbox: %w", err)
	}
	return nil
}

func (s *state) stuckKeys() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
}

// close ends the export.
func (m *meters) close() {
	if m.registration != nil {
		_ = m.registration.Unregister() // it was registered
	}
}

// count notes the backlog.
func (m *meters) count(rows int, oldest time.Time) {
	m.rows.Store(int64(rows))
	since := int64(0)
	if !oldest.IsZero() {
		since = oldest.UnixMicro()
	}
	m.oldest.Store(since)
}

// turned notes a transaction and how many of its marks held.
func (m *meters) turned(took time.Duration, marked, refused int) {
	m.marked.Add(int64(marked))
	m.refused.Add(int64(refused))
	if m.round != nil && took > 0 {
		m.round.Record(context.Background(), took.Seconds())
	}
}

// published notes how long a row took.
func (m *meters) published(took time.Duration) {
	if m.latency != nil {
		m.latency.Record(context.Background(), took.Seconds())
	}
}
