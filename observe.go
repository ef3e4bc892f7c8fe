package slipway

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slipway-go/slipway/internal/lag"
)

// observed are the instruments that are read when somebody collects.
type observed struct {
	processed, business, consumed              metric.Int64Observable
	deadLetters, repeats, opened, hits         metric.Int64Observable
	overdue, commits, rebalances               metric.Int64Observable
	transactions, renewals                     metric.Int64Observable
	lag, status, startOffset, assigned, paused metric.Int64Observable
	running, lanes, records, bytes             metric.Int64Observable
	heldKeys, heldRecords, breaker, deadDepth  metric.Int64Observable
	lagTime, headAge, heldAge, deadAge         metric.Float64Observable
}

func (o *observed) make(m *maker) {
	o.processed = m.counter("kafka.consumer.messages.processed", "{message}", "Records by what became of them after an attempt.")
	o.business = m.counter("business.messages.processed", "{message}", "Records by topic and what became of them, over all groups.")
	o.consumed = m.counter("messaging.client.consumed.messages", "{message}", "Records that came from the cluster.")
	o.deadLetters = m.counter("kafka.consumer.deadletters.written", "{record}", "Dead letters that were acknowledged.")
	o.repeats = m.counter("kafka.consumer.repeats", "{record}", "Finished records that had to be forgotten and will be handled again.")
	o.opened = m.counter("kafka.consumer.breaker.opened", "{time}", "How often the breaker has opened.")
	o.hits = m.counter("kafka.consumer.watchdog.hits", "{handler}", "Handlers that did not return after their timeout.")
	o.overdue = m.gauge("kafka.consumer.handlers.overdue", "{handler}", "Handlers that have not returned after their timeout.")
	o.commits = m.counter("kafka.consumer.commits", "{commit}", "Commits of offsets.")
	o.rebalances = m.counter("kafka.consumer.rebalances", "{time}", "How often partitions were assigned, revoked or lost.")
	o.transactions = m.counter("kafka.consumer.transactions", "{transaction}", "Transactions by how they ended.")
	o.renewals = m.counter("kafka.consumer.transactional.id.renewals", "{time}", "How often a transactional id had to be taken anew.")
	o.lag = m.gauge("kafka.consumer.lag", "{record}", "Records between the committed offset and the end of the partition.")
	o.lagTime = m.seconds("kafka.consumer.lag.time", "How long ago the last record was written up to which all is finished.")
	o.status = m.gauge("kafka.consumer.partition.status", "{partition}", "1 for the status that the partition has.")
	o.headAge = m.seconds("kafka.consumer.head.age", "How long the record at the frontier is open already.")
	o.startOffset = m.gauge("kafka.consumer.start.offset", "{offset}", "Where reading began when the partition was assigned, and who said so.")
	o.assigned = m.gauge("kafka.consumer.partitions.assigned", "{partition}", "Partitions that this instance owns.")
	o.paused = m.gauge("kafka.consumer.partitions.paused", "{partition}", "Partitions of which fetching is paused.")
	o.running = m.gauge("kafka.consumer.handlers.running", "{handler}", "Handlers that run.")
	o.lanes = m.gauge("kafka.consumer.lanes", "{lane}", "Lanes that hold something.")
	o.records = m.gauge("kafka.consumer.open.records", "{record}", "Records that are queued, waiting or in a handler.")
	o.bytes = m.gauge("kafka.consumer.open.bytes", "By", "Bytes of the open records.")
	o.heldKeys = m.gauge("kafka.consumer.held.keys", "{key}", "Keys whose first record waits, for its retry or parked.")
	o.heldRecords = m.gauge("kafka.consumer.held.records", "{record}", "Records that wait, with those behind them in their keys.")
	o.heldAge = m.seconds("kafka.consumer.held.age", "How long the oldest of these keys waits.")
	o.breaker = m.gauge("kafka.consumer.breaker.state", "{breaker}", "1 for the state that the breaker has.")
	o.deadDepth = m.gauge("kafka.consumer.deadletters.depth", "{record}", "Records in the dead-letter topic.")
	o.deadAge = m.seconds("kafka.consumer.deadletters.age", "Age of the oldest record in the dead-letter topic.")
}

// A total is a sum over several meters.
type total struct {
	labels attribute.Set
	n      int64
}

// entry observes what an entry has counted.
func (o *observed) entry(to metric.Observer, m *entryMeter, business map[attribute.Distinct]*total) {
	for r := range results {
		n := m.processedBy[r].Load() // 0 as well: who sees a series begin with 1 sees no growth
		to.ObserveInt64(o.processed, n, with(m.names, keyResult.String(resultNames[r])))
		labels := attribute.NewSet(slices.Concat(m.of, []attribute.KeyValue{keyTopic.String(m.topic), keyStatus.String(resultNames[r])})...)
		sum := business[labels.Equivalent()]
		if sum == nil {
			sum = &total{labels: labels}
			business[labels.Equivalent()] = sum
		}
		sum.n += n
	}
	names := with(m.names)
	to.ObserveInt64(o.consumed, m.fetchedAll.Load(), with(m.of,
		attribute.String("messaging.system", "kafka"), attribute.String("messaging.operation.name", "poll"),
		attribute.String("messaging.destination.name", m.topic), attribute.String("messaging.consumer.group.name", m.group)))
	to.ObserveInt64(o.repeats, m.repeatedAll.Load(), names)
	to.ObserveInt64(o.opened, m.openedAll.Load(), names)
	to.ObserveInt64(o.hits, m.hits.Load(), names)
	to.ObserveInt64(o.overdue, m.overdueNow.Load(), names)
	m.mu.Lock()
	defer m.mu.Unlock()
	for reason, n := range m.deadLetters {
		to.ObserveInt64(o.deadLetters, n, with(m.names, keyReason.String(reason)))
	}
}

// group observes what a member of a group has counted.
func (o *observed) group(to metric.Observer, g *groupMeter) {
	names := g.names
	to.ObserveInt64(o.commits, g.commits.Load(), with(names, keyResult.String("ok")))
	to.ObserveInt64(o.commits, g.commitFailures.Load(), with(names, keyResult.String("failed")))
	to.ObserveInt64(o.rebalances, g.assigned.Load(), with(names, keyKind.String("assigned")))
	to.ObserveInt64(o.rebalances, g.revoked.Load(), with(names, keyKind.String("revoked")))
	to.ObserveInt64(o.rebalances, g.lost.Load(), with(names, keyKind.String("lost")))
	if g.transactional.Load() {
		to.ObserveInt64(o.transactions, g.settled.Load(), with(names, keyResult.String("committed")))
		to.ObserveInt64(o.transactions, g.aborted.Load(), with(names, keyResult.String("aborted")))
		to.ObserveInt64(o.renewals, g.renewals.Load(), with(names))
	}
}

// snapshot observes the state of a member of a group.
func (o *observed) snapshot(to metric.Observer, s groupSnapshot) {
	assigned, paused := make(map[string]int64), make(map[string]int64)
	for _, p := range s.partitions {
		assigned[p.topic]++
		if p.paused {
			paused[p.topic]++
		}
		o.partition(to, s, p)
	}
	for _, e := range s.entries {
		names := append([]attribute.KeyValue{keyGroup.String(s.group), keyTopic.String(e.topic)}, s.of...)
		plain := with(names)
		to.ObserveInt64(o.assigned, assigned[e.topic], plain)
		to.ObserveInt64(o.paused, paused[e.topic], plain)
		to.ObserveInt64(o.running, int64(e.running), plain)
		to.ObserveInt64(o.lanes, int64(e.lanes), plain)
		to.ObserveInt64(o.records, int64(e.records), plain)
		to.ObserveInt64(o.bytes, e.bytes, plain)
		to.ObserveInt64(o.breaker, 1, with(names, keyState.String(e.breaker.String())))
		o.held(to, e.waiting, with(names, keyState.String("waiting")))
		o.held(to, e.parked, with(names, keyState.String("parked")))
		if e.deadLetters >= 0 {
			to.ObserveInt64(o.deadDepth, e.deadLetters, plain)
			o.seconds(to, o.deadAge, e.oldestDeadAge, plain)
		}
	}
}

func (o *observed) held(to metric.Observer, h backlog, names metric.MeasurementOption) {
	to.ObserveInt64(o.heldKeys, int64(h.keys), names)
	to.ObserveInt64(o.heldRecords, int64(h.records), names)
	o.seconds(to, o.heldAge, h.age, names)
}

func (o *observed) partition(to metric.Observer, s groupSnapshot, p partitionSnapshot) {
	names := append([]attribute.KeyValue{keyGroup.String(s.group), keyTopic.String(p.topic), keyPartition.Int(int(p.id))}, s.of...)
	plain := with(names)
	if p.lag >= 0 {
		to.ObserveInt64(o.lag, p.lag, plain)
	}
	o.seconds(to, o.lagTime, p.behind, plain)
	o.seconds(to, o.headAge, p.headAge, plain)
	if p.status != "" {
		to.ObserveInt64(o.status, 1, with(names, keyStatus.String(statusName(p.status))))
	}
	if p.startOffset >= 0 {
		to.ObserveInt64(o.startOffset, p.startOffset, with(names, keySource.String(p.startSource)))
	}
}

// seconds observes a duration, unless it is not known.
func (o *observed) seconds(to metric.Observer, of metric.Float64Observable, d time.Duration, names metric.MeasurementOption) {
	if d >= 0 {
		to.ObserveFloat64(of, d.Seconds(), names)
	}
}

func statusName(s lag.Status) string {
	if s == lag.Unsure {
		return "unsure"
	}
	return strings.ToLower(string(s))
}
