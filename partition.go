package slipway

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/lag"
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
// Once it has ended nothing starts any more: what runs may finish, and what has
// not started is given back, to be handled in order by the next owner. What is
// finished beyond the frontier travels in the metadata of the last commit.
type partition struct {
	topicPartition
	fetch    fetcher
	entry    *entry
	frontier *frontier.Frontier
	salt     uint64 // keeps its lanes apart from those of other partitions and other lives

	// ctx is the parent of every handler's context.
	ctx    context.Context
	cancel context.CancelCauseFunc

	member string // as whom this instance has it
	kept   bool   // the client had it before, as another member, and would go on where it was

	ready   atomic.Bool // it was opened: what follows about it is known
	ended   atomic.Bool
	renewed atomic.Bool   // a new life follows this one
	void    atomic.Bool   // the retry topic was made anew: what is known of it holds no more
	afresh  atomic.Bool   // what is committed of the retry topic means nothing: it was made anew since
	ending  chan struct{} // closed once it has ended
	open    load          // queued, waiting or in a handler
	full    atomic.Bool   // paused because it holds too much
	empty   chan struct{} // closed when an ended partition has no open records
	once    sync.Once     // closes empty
	cut     chan error    // told when its retry partition does not go on from what was read

	ahead     frontier.Ranges // finished beyond the committed offset by an earlier owner; only the poll loop uses it
	yard      *yard           // what waits in the retry topic; nil where the entry has none
	forgotten atomic.Int64    // finished ahead, without room for it in the last commit
	ledger    ledger          // what its finished records have sent, in transactions
	low       atomic.Int64    // where the log starts
	high      atomic.Int64    // where the log ends
	stuck     bool            // what health says; only the commit loop uses it

	mu          sync.Mutex
	why         pause  // fetching is paused while any reason is set
	committed   commit // what the group's last commit says
	startOffset int64
	startSource string // why it starts there
	window      *lag.Window
	noted       time.Time
}

// A pause is a set of reasons not to fetch.
type pause uint8

const (
	opening   pause = 1 << iota // its state is being read
	filled                      // it holds as much as it may
	resting                     // it could not be fetched a moment ago
	stopped                     // it stands still until it is assigned anew
	held                        // an operator, or the breaker, says so
	crowding                    // too many keys wait
	unsettled                   // too much waits for a transaction
)

// commit is what was committed of a partition.
type commit struct {
	offset   int64 // -1 for nothing
	metadata string
	at       time.Time
}

// A load counts records and their bytes in one word.
type load struct{ n atomic.Int64 }

const loadRecord = 1 << 40 // bytes stay below: the client's batches are far smaller

func (l *load) add(records, bytes int) (int, int) {
	return unpack(l.n.Add(int64(records)*loadRecord + int64(bytes)))
}

func (l *load) get() (records, bytes int) { return unpack(l.n.Load()) }

func unpack(n int64) (records, bytes int) { return int(n / loadRecord), int(n % loadRecord) }

// lives counts partitions, so that no two have the same lanes.
var lives atomic.Uint64

// A fetcher is the client, as far as a partition needs it.
type fetcher interface {
	PauseFetchPartitions(map[string][]int32) map[string][]int32
	ResumeFetchPartitions(map[string][]int32)
}

func newPartition(tp topicPartition, fetch fetcher, e *entry) *partition {
	p := &partition{topicPartition: tp, fetch: fetch, entry: e, frontier: frontier.New(), ending: make(chan struct{}), empty: make(chan struct{}), cut: make(chan error, 1)}
	p.salt = maphash.Bytes(seed, binary.BigEndian.AppendUint64(nil, lives.Add(1)))
	p.committed.offset = -1
	p.window = lag.NewWindow(lag.DefaultSamples)
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	return p
}

// begin counts fetched records and returns the sequence number of the first.
// Fetching pauses when the partition is full.
func (p *partition) begin(places []frontier.Position, records []*kgo.Record) (uint64, *frontier.Rewind) {
	bytes := 0
	for _, rec := range records {
		bytes += size(rec)
	}
	seq, back := p.frontier.Begin(places)
	open, held := p.open.add(len(records), bytes)
	if open >= maxOpenRecords || held >= maxOpenBytes || p.frontier.Open() >= maxSpan {
		p.pause(filled)
		p.full.Store(true)
		p.relieve() // it may have emptied before full was set
	}
	return seq, back
}

// leave uncounts a record that is no longer open here, and returns how many are.
func (p *partition) leave(rec *kgo.Record) int {
	open, _ := p.open.add(-1, -size(rec))
	if open == 0 && p.ended.Load() {
		p.drained()
	}
	if p.full.Load() {
		p.relieve()
	}
	return open
}

// relieve resumes fetching when there is room again.
func (p *partition) relieve() {
	open, bytes := p.open.get()
	if open <= maxOpenRecords/2 && bytes <= maxOpenBytes/2 && p.frontier.Open() <= maxSpan/2 && p.full.CompareAndSwap(true, false) {
		p.resume(filled)
	}
}

// pause stops fetching for a reason. The client is told under the lock, so that
// a pause and a resume cannot change places.
func (p *partition) pause(why pause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == 0 && p.ctx.Err() == nil { // else its next life may be here already
		p.fetch.PauseFetchPartitions(p.asMap())
	}
	p.why |= why
}

// resume takes a reason away, and fetches again when it was the last.
func (p *partition) resume(why pause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why&why == 0 {
		return
	}
	p.why &^= why
	if p.why == 0 && !p.ended.Load() {
		p.fetch.ResumeFetchPartitions(p.asMap())
	}
}

// paused are the reasons why the partition is not fetched.
func (p *partition) paused() pause {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// stop ends the partition where it stands: nothing is fetched and nothing
// starts until it is assigned anew.
func (p *partition) stop() {
	p.end()
	p.pause(stopped)
}

// rest pauses fetching for a while.
func (p *partition) rest(d time.Duration) {
	p.pause(resting)
	time.AfterFunc(d, func() { p.resume(resting) })
}

// end lets nothing start any more.
func (p *partition) end() {
	if !p.ended.Swap(true) {
		close(p.ending)
	}
	if open, _ := p.open.get(); open == 0 {
		p.drained()
	}
}

// drained tells settle that nothing is open.
func (p *partition) drained() { p.once.Do(func() { close(p.empty) }) }

// settle ends the partition and waits until no record is open. When ctx ends
// first, it cancels the handlers that run for the given cause, and gives up
// those that ignore it after a moment: their records are not finished and will
// be handled again.
func (p *partition) settle(ctx context.Context, cause error) (forced bool) {
	defer p.cancel(cause)
	p.end()
	if p.wait(ctx) {
		return false
	}
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
		p.entry.lanes.Wake(func(w *work) bool { return w.partition == p })
		select {
		case <-p.empty:
			return true
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// deadLetters is what health calls the partition's dead letters.
func (tp topicPartition) deadLetters() string { return "dead letters of " + tp.String() }

func (tp topicPartition) asMap() map[string][]int32 { return map[string][]int32{tp.topic: {tp.id}} }

func (tp topicPartition) String() string { return fmt.Sprintf("partition %s/%d", tp.topic, tp.id) }

func size(rec *kgo.Record) int { return len(rec.Key) + len(rec.Value) + 64 }
