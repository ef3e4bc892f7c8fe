package slipway

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slipway-go/slipway/internal/spill"
)

// spillMeters are the instruments of what is on disk.
type spillMeters struct {
	spilled, refused, replayed metric.Int64Observable
	records, bytes, set        metric.Int64Observable
	oldest                     metric.Float64Observable
	scheduled, delivered       metric.Int64Observable
}

func (i *spillMeters) make(m *maker) {
	i.spilled = m.counter("channel.write.spilled", "{record}", "Records that were accepted on disk because the cluster was away.")
	i.refused = m.counter("kafka.producer.spill.refused", "{record}", "Records that were not accepted on disk, by why, each an error at its sender.")
	i.replayed = m.counter("kafka.producer.spill.replayed", "{record}", "Records from disk that the cluster has acknowledged.")
	i.records = m.gauge("kafka.producer.spill.records", "{record}", "Records on disk that wait for the cluster.")
	i.bytes = m.gauge("kafka.producer.spill.bytes", "By", "What they take on disk.")
	i.set = m.gauge("kafka.producer.spill.quarantined", "By", "Bytes on disk that were found damaged and are set aside.")
	i.oldest = m.seconds("kafka.producer.spill.oldest.age", "How long the oldest record on disk waits for the cluster.")
	i.scheduled = m.gauge("kafka.producer.scheduled.records", "{record}", "Records on disk that wait for their time.")
	i.delivered = m.counter("kafka.producer.scheduled.delivered", "{record}", "Records that the cluster has acknowledged at their time.")
}

// collect observes a pipe.
func (i *spillMeters) collect(o metric.Observer, q *pipe, names []attribute.KeyValue) {
	plain := with(names)
	if s, ok := q.fallback.(*spillway); ok {
		st := s.queue.Stats()
		o.ObserveInt64(i.spilled, s.counts.spilled.Load(), plain)
		o.ObserveInt64(i.refused, s.counts.full.Load(), with(names, keyReason.String("full")))
		o.ObserveInt64(i.refused, s.counts.failed.Load(), with(names, keyReason.String("disk")))
		o.ObserveInt64(i.replayed, s.carry.wrote.Load(), plain)
		o.ObserveInt64(i.records, int64(st.Records), plain)
		o.ObserveInt64(i.bytes, st.Bytes, plain)
		o.ObserveInt64(i.set, st.Quarantined, plain)
		o.ObserveFloat64(i.oldest, s.carry.age(time.Now()).Seconds(), plain)
	}
	if queue, carry := q.timetable.parts(); queue != nil {
		o.ObserveInt64(i.scheduled, int64(queue.Len()), plain)
		o.ObserveInt64(i.delivered, carry.wrote.Load(), plain)
	}
}

// parts are what a timetable has once something was scheduled.
func (t *timetable) parts() (*spill.Queue, *carrier) {
	if t == nil {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.queue, t.carry
}
