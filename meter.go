package slipway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway/internal/record"
)

// A result is what became of a record after an attempt.
type result uint8

const (
	resultOK           result = iota // its handler returned nil
	resultRetried                    // it will be tried again
	resultDeadLettered               // after its last attempt, or because it cannot be decoded
	resultRejected                   // by its handler, and dead-lettered
	resultSkipped                    // by its handler, or by an operator
	resultParked                     // its key waits for an operator
	results
)

var resultNames = [results]string{"ok", "retried", "dead-lettered", "rejected", "skipped", "parked"}

// resultOfReason is what became of a record that was dead-lettered.
func resultOfReason(reason string) result {
	switch reason {
	case record.Parked:
		return resultParked
	case record.Rejected:
		return resultRejected
	default:
		return resultDeadLettered
	}
}

// An entryMeter counts what happens to the records of one consumed topic. It
// is safe for concurrent use, and nothing in it allocates for each record.
type entryMeter struct {
	group, topic string
	of           []attribute.KeyValue // the labels of the cluster
	names        []attribute.KeyValue // all labels

	duration  metric.Float64Histogram
	freshness metric.Float64Histogram // nil if the contract promises none
	plain     []metric.RecordOption
	attempts  [2][2][]metric.RecordOption // by failed, by retry

	processedBy [results]atomic.Int64
	_           [64]byte // workers and the poll loop do not share a line of the cache
	fetchedAll  atomic.Int64
	repeatedAll atomic.Int64
	openedAll   atomic.Int64
	hits        atomic.Int64
	overdueNow  atomic.Int64

	mu          sync.Mutex
	deadLetters map[string]int64 // by reason
}

// fetched counts records that came from the cluster.
func (m *entryMeter) fetched(n int) { m.fetchedAll.Add(int64(n)) }

// timing reports whether anybody wants to know how long attempts take.
func (m *entryMeter) timing() bool { return m.duration.Enabled(context.Background()) }

// attempted records how long one call of the handler took, within the call's
// span. attempt counts from one.
func (m *entryMeter) attempted(span trace.Span, took time.Duration, attempt int, failed bool) {
	var bad, again int
	if failed {
		bad = 1
	}
	if attempt > 1 {
		again = 1
	}
	m.duration.Record(during(span), took.Seconds(), m.attempts[bad][again]...)
}

// processed counts what became of n records.
func (m *entryMeter) processed(r result, n int) { m.processedBy[r].Add(int64(n)) }

// finished records how old a record was when it was finished, by the attempt
// that the span is of.
func (m *entryMeter) finished(span trace.Span, age time.Duration) {
	if m.freshness == nil {
		return
	}
	if m.freshness.Enabled(context.Background()) {
		m.freshness.Record(during(span), age.Seconds(), m.plain...)
	}
}

// deadLettered counts a dead letter that was acknowledged.
func (m *entryMeter) deadLettered(reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deadLetters[reason]++
}

// repeated counts records that were finished and will be handled again all the
// same, because the map of what is finished ahead had no room for them.
func (m *entryMeter) repeated(n int) { m.repeatedAll.Add(int64(n)) }

// opened counts that the breaker has opened.
func (m *entryMeter) opened() { m.openedAll.Add(1) }

// overdue counts a handler that does not return, and back that it has.
func (m *entryMeter) overdue() {
	m.hits.Add(1)
	m.overdueNow.Add(1)
}

func (m *entryMeter) back() { m.overdueNow.Add(-1) }

// A groupMeter counts what a member of a group does with its group. It is safe
// for concurrent use.
type groupMeter struct {
	names                   []attribute.KeyValue
	transactional           atomic.Bool
	commits, commitFailures atomic.Int64
	assigned, revoked, lost atomic.Int64
	settled, aborted        atomic.Int64 // transactions
	renewals                atomic.Int64 // of transactional ids
}

// committed counts one commit.
func (g *groupMeter) committed(err error) {
	if err != nil {
		g.commitFailures.Add(1)
		return
	}
	g.commits.Add(1)
}
