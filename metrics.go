package slipway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slipway-go/slipway/internal/lag"
	"github.com/slipway-go/slipway/internal/protect"
)

// instruments are what a running app measures of itself, on the OpenTelemetry
// metric API. docs/reference/metrics.md lists them.
//
// Names are chosen so that the Prometheus exporter makes the required names of
// them: dots become underscores, a counter gets _total, and a unit in seconds
// or bytes its suffix. What happens to every record is counted in memory and
// read when somebody collects, which costs a tenth of a counter of the SDK;
// only durations are recorded one by one.
type instruments struct {
	duration  metric.Float64Histogram
	freshness metric.Float64Histogram
	observed  observed
	guarded   guarded
	produced  produced
	judged    judged

	registration metric.Registration

	mu      sync.Mutex
	entries []*entryMeter
	groups  []*groupMeter
	sources []func() groupSnapshot
}

// A groupSnapshot is the state of one member of one group.
type groupSnapshot struct {
	group      string
	of         []attribute.KeyValue // the labels of the cluster
	entries    []entrySnapshot
	partitions []partitionSnapshot
}

// An entrySnapshot is the state of one consumed topic.
type entrySnapshot struct {
	topic         string
	running       int     // handlers
	lanes         int     // that hold something
	records       int     // open: queued, waiting or in a handler
	bytes         int64   // of them
	waiting       backlog // keys whose head waits for its retry
	parked        backlog // keys that wait for an operator
	breaker       protect.State
	deadLetters   int64 // in the dead-letter topic; -1 if not known
	oldestDeadAge time.Duration
}

// backlog is what keys hold back.
type backlog struct {
	keys    int
	records int
	age     time.Duration // since the oldest head failed first, or was parked by hand; 0 for no key, below 0 if not known
}

// A partitionSnapshot is the state of one assigned partition. What is negative
// is not known and not exported.
type partitionSnapshot struct {
	topic       string
	id          int32
	lag         int64 // records
	behind      time.Duration
	status      lag.Status
	headAge     time.Duration // how long the record at the frontier is open already; 0 for none
	paused      bool
	startOffset int64
	startSource string // committed, earliest, latest, or the gap policy that decided
}

// newInstruments makes the instruments of an app. A nil provider is the global
// one, which does nothing until a program sets it. What the contract promises of
// freshness is an edge of its buckets, so that the share that keeps it is exact.
func newInstruments(provider metric.MeterProvider, promised ...time.Duration) (*instruments, error) {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	m := maker{meter: provider.Meter("github.com/slipway-go/slipway")}
	i := &instruments{
		duration: m.histogram("kafka.message.processing.duration", "How long an attempt to handle a record, or a batch, took.",
			.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60),
		freshness: m.histogram("kafka.consumer.freshness", "How old a record was when it was finished.", edges(promised,
			.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)...),
	}
	i.observed.make(&m)
	i.guarded.make(&m)
	i.produced.make(&m)
	i.judged.make(&m)
	if err := errors.Join(m.errs...); err != nil {
		return nil, err
	}
	var err error
	i.registration, err = m.meter.RegisterCallback(i.collect, m.observables...)
	return i, err
}

// edges are bounds of buckets, with the promised ones among them.
func edges(promised []time.Duration, usual ...float64) []float64 {
	for _, d := range promised {
		if d > 0 {
			usual = append(usual, d.Seconds())
		}
	}
	slices.Sort(usual)
	return slices.Compact(usual)
}

// close ends the collection.
func (i *instruments) close() error { return i.registration.Unregister() }

// observe adds a member of a group whose state is exported. The function is
// called by whoever collects, so it must be quick and safe from any goroutine.
func (i *instruments) observe(source func() groupSnapshot) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sources = append(i.sources, source)
}

// entry returns the meter of a consumed topic, with labels that say of which
// cluster. Its freshness is recorded only
// where the contract promises one.
func (i *instruments) entry(group, topic string, freshness bool, of ...attribute.KeyValue) *entryMeter {
	names := append([]attribute.KeyValue{keyGroup.String(group), keyTopic.String(topic)}, of...)
	m := &entryMeter{group: group, topic: topic, of: of, names: names, deadLetters: make(map[string]int64), duration: i.duration}
	if freshness {
		m.freshness = i.freshness
	}
	m.plain = options(names)
	for failed, result := range []string{"ok", "failed"} {
		for again, attempt := range []string{"first", "retry"} {
			m.attempts[failed][again] = options(names, keyResult.String(result), keyAttempt.String(attempt))
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.entries = append(i.entries, m)
	return m
}

// group returns the meter of a consumer group.
func (i *instruments) group(name string, of ...attribute.KeyValue) *groupMeter {
	g := &groupMeter{names: append([]attribute.KeyValue{keyGroup.String(name)}, of...)}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.groups = append(i.groups, g)
	return g
}

// The labels. The required names have underscores.
const (
	keyGroup     = attribute.Key("consumer_group")
	keyTopic     = attribute.Key("topic")
	keyPartition = attribute.Key("partition")
	keyResult    = attribute.Key("result")
	keyStatus    = attribute.Key("status")
	keyAttempt   = attribute.Key("attempt")
	keyState     = attribute.Key("state")
	keyReason    = attribute.Key("reason")
	keyKind      = attribute.Key("kind")
	keySource    = attribute.Key("source")
)

// with returns a set of labels as an option.
func with(names []attribute.KeyValue, more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append(append([]attribute.KeyValue(nil), names...), more...)...))
}

// options returns labels in the form in which recording them allocates nothing.
func options(names []attribute.KeyValue, more ...attribute.KeyValue) []metric.RecordOption {
	return []metric.RecordOption{with(names, more...)}
}

// A maker makes instruments and keeps what went wrong.
type maker struct {
	meter       metric.Meter
	observables []metric.Observable
	errs        []error
}

func (m *maker) histogram(name, what string, bounds ...float64) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
	m.errs = append(m.errs, err)
	return h
}

func (m *maker) gauge(name, unit, what string) metric.Int64Observable {
	g, err := m.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.note(g, err)
	return g
}

func (m *maker) seconds(name, what string) metric.Float64Observable {
	g, err := m.meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(what))
	m.note(g, err)
	return g
}

func (m *maker) counter(name, unit, what string) metric.Int64Observable {
	c, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.note(c, err)
	return c
}

func (m *maker) note(o metric.Observable, err error) {
	m.observables, m.errs = append(m.observables, o), append(m.errs, err)
}

// collect answers somebody who collects.
func (i *instruments) collect(_ context.Context, o metric.Observer) error {
	i.mu.Lock()
	entries, groups, sources := i.entries, i.groups, i.sources
	i.mu.Unlock()
	business := make(map[attribute.Distinct]*total) // by topic and status: two groups may read one topic
	for _, e := range entries {
		i.observed.entry(o, e, business)
	}
	for _, of := range business {
		o.ObserveInt64(i.observed.business, of.n, metric.WithAttributeSet(of.labels))
	}
	for _, g := range groups {
		i.observed.group(o, g)
	}
	for _, source := range sources {
		i.observed.snapshot(o, source())
	}
	i.guarded.collect(o)
	i.produced.collect(o)
	i.judged.collect(o)
	return nil
}
