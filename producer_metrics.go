package slipway

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// pipeCounts is what a pipe counts. Nothing in it allocates for each record.
type pipeCounts struct {
	accepted                 atomic.Int64 // into the buffer
	refusedFull, refusedAway atomic.Int64
	_                        [64]byte // senders and acknowledgements do not share a line of the cache
	written, failed          atomic.Int64
	uncertain                atomic.Int64

	duration metric.Float64Histogram
	took     [2][]metric.RecordOption // by failed
}

func (c *pipeCounts) make(q *pipe) {
	names := q.link.names(keyTopic.String(q.physical))
	c.duration = q.app.meter.produced.duration
	for failed, result := range []string{"ok", "failed"} {
		c.took[failed] = options(names, keyResult.String(result))
	}
}

// settled counts what became of a record that the client had.
func (c *pipeCounts) settled(p *sending, told bool, err error) {
	failed := 0
	switch {
	case err == nil:
		c.written.Add(1)
	case told: // as uncertain
		failed = 1
	case errors.Is(err, ErrUnacknowledged):
		c.uncertain.Add(1)
		failed = 1
	default:
		c.failed.Add(1)
		failed = 1
	}
	if c.duration.Enabled(context.Background()) {
		c.duration.Record(during(p.span), time.Since(p.since).Seconds(), c.took[failed]...)
	}
}

// pipeSnapshot is the state of a pipe.
type pipeSnapshot struct {
	records, waiting int
	bytes            int64
	ratio            float64
	oldest           time.Duration
	away             bool
}

func (q *pipe) snapshot() pipeSnapshot {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := pipeSnapshot{records: q.records, waiting: len(q.waiting), bytes: q.bytes, away: q.away}
	s.ratio = max(float64(q.records)/float64(q.room.Records), float64(q.bytes)/float64(q.room.Bytes))
	if q.first != nil {
		s.oldest = time.Since(q.first.since)
	}
	return s
}

// produced are the instruments of producers.
type produced struct {
	pipes    atomic.Pointer[map[string]*pipe]
	duration metric.Float64Histogram

	ratio, oldest                   metric.Float64Observable
	success, dropped, results, sent metric.Int64Observable
	records, bytes, waiting, away   metric.Int64Observable
	spare                           metric.Int64Observable

	disk spillMeters
}

func (i *produced) make(m *maker) {
	i.duration = m.histogram("kafka.producer.send.duration", "How long a record took from the buffer to its acknowledgement.",
		.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120)
	i.ratio = m.ratio("channel.buffer.full", "How full the buffer of a topic is, by records or by bytes, whichever is more.")
	i.success = m.counter("channel.write.success", "{record}", "Records that went into the buffer.")
	i.dropped = m.counter("channel.write.dropped", "{record}", "Records that did not go into the buffer, by why, each an error at its sender.")
	i.results = m.counter("kafka.producer.messages", "{record}", "Records by what became of them.")
	i.sent = m.counter("messaging.client.sent.messages", "{message}", "Records that the cluster has acknowledged.")
	i.records = m.gauge("kafka.producer.buffer.records", "{record}", "Records that are not acknowledged.")
	i.bytes = m.gauge("kafka.producer.buffer.bytes", "By", "Bytes of them.")
	i.waiting = m.gauge("kafka.producer.waiting", "{sender}", "Senders that wait for room in the buffer.")
	i.away = m.gauge("kafka.producer.away", "{topic}", "1 while the cluster acknowledges nothing of the topic.")
	i.oldest = m.seconds("kafka.producer.oldest.age", "How long the oldest record waits for its acknowledgement.")
	i.spare = m.gauge("kafka.producer.replicas.spare", "{replica}", "In-sync replicas beyond what a write needs, of the partition that has fewest.")
	i.disk.make(m)
}

// ratio makes a gauge between 0 and 1, or a little more.
func (m *maker) ratio(name, what string) metric.Float64Observable {
	g, err := m.meter.Float64ObservableGauge(name, metric.WithUnit("1"), metric.WithDescription(what))
	m.note(g, err)
	return g
}

// collect observes all pipes of an app.
func (i *produced) collect(o metric.Observer) {
	pipes := i.pipes.Load()
	if pipes == nil {
		return
	}
	for _, q := range *pipes {
		names := q.link.names(keyTopic.String(q.physical))
		plain, s := with(names), q.snapshot()
		i.disk.collect(o, q, names)
		o.ObserveFloat64(i.ratio, s.ratio, plain)
		o.ObserveFloat64(i.oldest, s.oldest.Seconds(), plain)
		o.ObserveInt64(i.records, int64(s.records), plain)
		o.ObserveInt64(i.bytes, s.bytes, plain)
		o.ObserveInt64(i.waiting, int64(s.waiting), plain)
		o.ObserveInt64(i.away, number(s.away), plain)
		o.ObserveInt64(i.success, q.counts.accepted.Load(), plain)
		for reason, n := range map[string]int64{"full": q.counts.refusedFull.Load(), "away": q.counts.refusedAway.Load()} {
			o.ObserveInt64(i.dropped, n, with(names, keyReason.String(reason)))
		}
		for result, n := range map[string]int64{"written": q.counts.written.Load(), "failed": q.counts.failed.Load(), "uncertain": q.counts.uncertain.Load()} {
			o.ObserveInt64(i.results, n, with(names, keyResult.String(result)))
		}
		o.ObserveInt64(i.sent, q.counts.written.Load(), with(q.link.names(), attribute.String("messaging.system", "kafka"),
			attribute.String("messaging.operation.name", "send"), attribute.String("messaging.destination.name", q.physical)))
		if n, known := q.spare(); known {
			o.ObserveInt64(i.spare, n, plain)
		}
	}
}
