package spill

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Sync says when what is appended is forced to the disk.
type Sync string

// The policies. SyncAlways is the default.
const (
	SyncAlways   Sync = "always"   // before Append says that it is there: it survives a power cut
	SyncInterval Sync = "interval" // every Interval: a power cut costs what came since, a killed process nothing
	SyncNever    Sync = "never"    // when the system likes: a killed process costs nothing
)

// A Config says how a queue is kept.
type Config struct {
	// Folder is the directory, which the queue closes.
	Folder Folder

	// Interval is the longest that [SyncInterval] waits.
	//
	// Defaults to 100 milliseconds.
	Interval time.Duration

	// MaxBytes is the most that the segments take together.
	//
	// Defaults to 1 GiB.
	MaxBytes int64

	// Report is told what is damaged, by Open and while reading. It must not
	// call the queue.
	//
	// Defaults to nobody.
	Report func(Damage)

	// SegmentBytes is how long a segment becomes.
	//
	// Defaults to 16 MiB, and an eighth of MaxBytes at most.
	SegmentBytes int64

	// Sync is when what is appended is forced to the disk.
	//
	// Defaults to [SyncAlways].
	Sync Sync
}

func (c Config) withDefaults() Config {
	c.Interval = cmp.Or(c.Interval, 100*time.Millisecond)
	c.MaxBytes = cmp.Or(c.MaxBytes, 1<<30)
	c.SegmentBytes = min(cmp.Or(c.SegmentBytes, 16<<20), max(c.MaxBytes/8, 1))
	c.Sync = cmp.Or(c.Sync, SyncAlways)
	if c.Report == nil {
		c.Report = func(Damage) {}
	}
	return c
}

// ErrFull reports that the queue has reached its cap: the records were not
// taken. What is acknowledged makes room.
var ErrFull = errors.New("queue is full")

// ErrClosed reports that the queue was closed: the records were not taken.
var ErrClosed = errors.New("queue is closed")

// A Queue keeps records on disk in the order in which they are appended. It is
// safe for concurrent use, but for Next, which is for one reader.
type Queue struct {
	cfg    Config
	folder Folder
	lock   io.Closer
	report func(Damage)
	woken  chan struct{}
	writer *writer

	gate     sync.RWMutex // who appends holds it for reading
	closed   bool
	requests chan request

	waiting atomic.Int64 // accepted and not acknowledged

	mu          sync.Mutex
	segments    []*segment // oldest first
	number      uint64     // the largest in use
	bytes       int64      // of the segments
	quarantined int64
	reader      reader
	loader      reader
	trouble     error // the last of housekeeping
}

// A request is records that somebody appends.
type request struct {
	records []Record
	done    func(error)
}

// Open opens the queue of a directory, reads what is in it, and makes it this
// process's alone.
func Open(cfg Config) (_ *Queue, err error) {
	q := &Queue{cfg: cfg.withDefaults(), folder: cfg.Folder, woken: make(chan struct{}, 1), requests: make(chan request, 256)}
	q.report = q.cfg.Report
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open queue: %w", err), cfg.Folder.Close())
		}
	}()
	if q.lock, err = q.folder.Lock(); err != nil {
		return nil, err
	}
	if err = q.load(); err != nil {
		return nil, errors.Join(err, q.closeFiles(), q.lock.Close())
	}
	q.writer = newWriter(q)
	go q.writer.run()
	q.wake()
	return q, nil
}

// Append puts records at the end of the queue, all or none of them. It calls
// done once they are there as the sync policy says, or with the error for which
// they are not: an [ErrFull], an [ErrClosed], or what the disk said. After a
// crash, records whose append had failed may be there nevertheless.
//
// It returns at once unless many appends wait for the disk. Calls of done are in
// the order of the appends, from a goroutine of the queue's own in which further
// appends are allowed. The records must not be changed until then.
func (q *Queue) Append(records []Record, done func(error)) {
	q.gate.RLock()
	defer q.gate.RUnlock()
	if q.closed {
		go done(ErrClosed) // the caller may hold what done wants
		return
	}
	q.waiting.Add(int64(len(records)))
	q.requests <- request{records, done}
}

// AppendWait is [Queue.Append] for who wants to wait.
func (q *Queue) AppendWait(records ...Record) error {
	result := make(chan error, 1)
	q.Append(records, func(err error) { result <- err })
	return <-result
}

// Len is how many records wait: appended, also those that are on their way to
// the disk, and not acknowledged.
func (q *Queue) Len() int { return int(q.waiting.Load()) }

// Ready receives a value when there may be something for [Queue.Next].
func (q *Queue) Ready() <-chan struct{} { return q.woken }

func (q *Queue) wake() {
	select {
	case q.woken <- struct{}{}:
	default:
	}
}

// Stats is the state of a queue.
type Stats struct {
	Records     int   // that wait
	Bytes       int64 // of the segments on disk
	Segments    int
	Quarantined int64 // bytes that were found damaged and are kept apart
	Trouble     error // the last that deleting or marking met; what it left behind is given back twice at worst
}

// Stats returns the state of the queue.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Stats{q.Len(), q.bytes, len(q.segments), q.quarantined, q.trouble}
}

// note keeps what went wrong in housekeeping.
func (q *Queue) note(err error) {
	if err != nil {
		q.trouble = err
	}
}

// Close waits for what is being appended and gives the directory away. What
// waits in it stays there.
func (q *Queue) Close() error {
	q.gate.Lock()
	if q.closed {
		q.gate.Unlock()
		return nil
	}
	q.closed = true
	close(q.requests)
	q.gate.Unlock()
	<-q.writer.ended
	q.mu.Lock()
	defer q.mu.Unlock()
	return errors.Join(q.writer.failed, q.closeFiles(), q.lock.Close(), q.folder.Close())
}

func (q *Queue) closeFiles() error {
	errs := []error{q.reader.close(), q.loader.close()}
	for _, s := range q.segments {
		if s.marks != nil {
			errs = append(errs, s.marks.Close())
			s.marks = nil
		}
	}
	return errors.Join(errs...)
}
