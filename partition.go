package slipway

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/frontier"
)

// The bounds of what one partition may hold in memory before fetching it is
// paused. Fetching resumes at half of them. The span counts what lies between
// the frontier and the newest record, finished or not: while one record is
// stuck, everything behind it has to be remembered.
const (
	maxOpenRecords = 10_000
	maxOpenBytes   = 32 << 20
	maxSpan        = 100_000
)

const (
	cancelGrace  = 2 * time.Second // how long a cancelled handler may take to return
	wakeInterval = 50 * time.Millisecond
)

// A partition is one that this instance owns. It lives from assignment to
// revocation; a partition that comes back is a new one.
//
// It ends in two steps. While it drains, only records start that lie before
// one that has started already: what is finished behind the frontier would
// otherwise be repeated by the next owner. Once it has ended nothing starts. A
// record that may not start is given back, and with it every later one of its
// lane, because the next owner handles them in order.
type partition struct {
	topicPartition
	fetch    fetcher
	entry    *entry
	frontier *frontier.Frontier

	// ctx is the parent of every handler's context.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	state     partitionState
	started   int64                // the highest offset that a handler was given, -1 for none
	returned  map[laneKey]struct{} // lanes of which a record was given back
	records   int                  // open: queued, waiting or in a handler
	bytes     int
	empty     chan struct{} // closed when a draining partition has no open records
	paused    bool
	committed int64 // the last offset that was committed, -1 for none
}

type partitionState uint8

const (
	working partitionState = iota
	draining
	ended
)

// A fetcher is the client, as far as a partition needs it.
type fetcher interface {
	PauseFetchPartitions(map[string][]int32) map[string][]int32
	ResumeFetchPartitions(map[string][]int32)
}

func newPartition(tp topicPartition, fetch fetcher, e *entry) *partition {
	p := &partition{topicPartition: tp, fetch: fetch, entry: e, frontier: frontier.New(), started: -1, committed: -1, empty: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	return p
}

// add counts a fetched record, and pauses fetching when the partition is full.
// The client is told under the lock, so that a pause and a resume cannot change
// places.
func (p *partition) add(rec *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records++
	p.bytes += size(rec)
	if !p.paused && (p.records >= maxOpenRecords || p.bytes >= maxOpenBytes || p.frontier.Open() >= maxSpan) {
		p.paused = true
		p.fetch.PauseFetchPartitions(p.asMap())
	}
}

// remove uncounts a record that left its lane, and resumes fetching when there
// is room again.
func (p *partition) remove(rec *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records--
	p.bytes -= size(rec)
	if p.records == 0 && p.state != working {
		p.drained()
	}
	if p.paused && p.state == working && p.records <= maxOpenRecords/2 && p.bytes <= maxOpenBytes/2 && p.frontier.Open() <= maxSpan/2 {
		p.paused = false
		p.fetch.ResumeFetchPartitions(p.asMap())
	}
}

// stop ends the partition where it stands: nothing is fetched and nothing
// starts until it is assigned anew.
func (p *partition) stop() {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetch.PauseFetchPartitions(p.asMap())
}

// rest pauses fetching for a while, unless the partition is paused anyway.
func (p *partition) rest(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != working || p.paused {
		return
	}
	p.fetch.PauseFetchPartitions(p.asMap())
	time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.state == working && !p.paused {
			p.fetch.ResumeFetchPartitions(p.asMap())
		}
	})
}

// enter reports whether a record may be handled now.
func (p *partition) enter(key laneKey, offset int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, returned := p.returned[key]
	if p.state == ended || p.state == draining && (returned || offset > p.started) {
		p.giveBack(key)
		return false
	}
	p.started = max(p.started, offset)
	return true
}

// leave reports whether a record that would have to wait must be given back,
// because the partition is on its way out.
func (p *partition) leave(key laneKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == working {
		return false
	}
	p.giveBack(key)
	return true
}

func (p *partition) giveBack(key laneKey) {
	if p.returned == nil {
		p.returned = make(map[laneKey]struct{})
	}
	p.returned[key] = struct{}{}
}

// drain lets only records start that lie before one that has started.
func (p *partition) drain() { p.become(draining) }

// end lets nothing start.
func (p *partition) end() { p.become(ended) }

func (p *partition) become(s partitionState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = max(p.state, s)
	if p.records == 0 {
		p.drained()
	}
}

// drained tells settle that nothing is open. The lock is held.
func (p *partition) drained() {
	select {
	case <-p.empty:
	default:
		close(p.empty)
	}
}

// settle drains the partition: it waits until no record is open. When ctx ends
// first, it cancels the handlers that run for the given cause, and gives up
// those that ignore it after a moment: their records are not finished and will
// be handled again.
func (p *partition) settle(ctx context.Context, cause error) (forced bool) {
	defer p.cancel(cause)
	p.drain()
	if p.wait(ctx) {
		return false
	}
	p.end()
	p.cancel(cause)
	grace, cancel := context.WithTimeout(context.Background(), cancelGrace)
	defer cancel()
	p.wait(grace)
	return true
}

// wait reports whether the partition emptied before ctx ended. A record may
// begin to wait for its retry just when the lanes are woken, so they are woken
// until none is left.
func (p *partition) wait(ctx context.Context) bool {
	tick := time.NewTicker(wakeInterval)
	defer tick.Stop()
	for {
		p.entry.lanes.Wake(func(k laneKey) bool { return k.partition == p })
		select {
		case <-p.empty:
			return true
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// uncommitted returns the frontier if it has moved since the last commit.
func (p *partition) uncommitted() (frontier.Position, bool) {
	at, ok := p.frontier.Position()
	p.mu.Lock()
	defer p.mu.Unlock()
	return at, ok && at.Offset != p.committed
}

func (p *partition) setCommitted(offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = offset
}

// deadLetters is what health calls the partition's dead letters.
func (tp topicPartition) deadLetters() string { return "dead letters of " + tp.String() }

func (tp topicPartition) asMap() map[string][]int32 { return map[string][]int32{tp.topic: {tp.id}} }

func size(rec *kgo.Record) int { return len(rec.Key) + len(rec.Value) + 64 }
