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

// cancelGrace is how long a cancelled handler may take to return.
const cancelGrace = 2 * time.Second

// A partition is one that this instance owns. It lives from assignment to
// revocation; a partition that comes back is a new one.
type partition struct {
	topicPartition
	fetch    fetcher
	entry    *entry
	frontier *frontier.Frontier

	// ctx is the parent of every handler's context.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	closed    bool           // no further handler starts
	running   sync.WaitGroup // handlers, counted under mu while not closed
	records   int            // open: queued, waiting or in a handler
	bytes     int
	paused    bool
	committed int64 // the last offset that was committed, -1 for none
}

// A fetcher is the client, as far as a partition needs it.
type fetcher interface {
	PauseFetchPartitions(map[string][]int32) map[string][]int32
	ResumeFetchPartitions(map[string][]int32)
}

func newPartition(tp topicPartition, fetch fetcher, e *entry) *partition {
	p := &partition{topicPartition: tp, fetch: fetch, entry: e, frontier: frontier.New(), committed: -1}
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
	if p.paused && !p.closed && p.records <= maxOpenRecords/2 && p.bytes <= maxOpenBytes/2 && p.frontier.Open() <= maxSpan/2 {
		p.paused = false
		p.fetch.ResumeFetchPartitions(p.asMap())
	}
}

// stop ends the partition where it stands: nothing is fetched and no handler
// starts until it is assigned anew.
func (p *partition) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.fetch.PauseFetchPartitions(p.asMap())
}

// enter reports whether a handler may start, and counts it if so.
func (p *partition) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running.Add(1)
	return true
}

// close lets no further handler start.
func (p *partition) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

// settle waits for running handlers. When ctx ends first it cancels them for
// the given cause, and gives those that ignore it up after a moment: their
// records are not finished and will be handled again.
func (p *partition) settle(ctx context.Context, cause error) (forced bool) {
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	defer p.cancel(cause)
	select {
	case <-done:
		return false
	case <-ctx.Done():
	}
	p.cancel(cause)
	select {
	case <-done:
	case <-time.After(cancelGrace):
	}
	return true
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

func (tp topicPartition) asMap() map[string][]int32 { return map[string][]int32{tp.topic: {tp.id}} }

func size(rec *kgo.Record) int { return len(rec.Key) + len(rec.Value) + 64 }
