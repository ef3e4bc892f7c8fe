package retrylog

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A GapError tells that reading could not go on where it was. To above From
// means that the records in between were deleted, or could not be read (which
// was told before). To below From means that the log was cut: what was read from
// To on is void, and other records have, or will have, those offsets. Where the
// topic was made anew, all that was read is.
type GapError struct {
	Topic     string
	Partition int32
	From      int64 // the offset that was to be read next
	To        int64 // the offset that reading goes on at
	Anew      bool  // the topic is another one, of the same name
}

func (e *GapError) Error() string {
	if e.Anew {
		return fmt.Sprintf("read %s/%d: the topic was deleted and made anew; reading it from offset %d", e.Topic, e.Partition, e.To)
	}
	if e.To < e.From {
		return fmt.Sprintf("read %s/%d: the log no longer reaches offset %d; reading again from offset %d", e.Topic, e.Partition, e.From, e.To)
	}
	return fmt.Sprintf("read %s/%d: the records from offset %d up to %d are gone or unreadable; reading on from there", e.Topic, e.Partition, e.From, e.To)
}

// A Follower reads one partition until it is stopped.
type Follower struct {
	reader  *reader
	topic   string
	id      int32
	fn      func(*kgo.Record)
	stopped atomic.Bool

	// Only the reading goroutine uses the rest.
	next     int64    // the offset to read next; below 0 the start of the log
	epoch    int32    // of the record before it
	of       [16]byte // the topic's id, when reading began
	state    followState
	failures int       // in a row
	troubled bool      // Trouble was told of a failure
	due      time.Time // of a waiting one: when to try again; of a reading one: when it is out of trouble
}

type followState uint8

const (
	waiting followState = iota // for its time
	asking                     // for the log's bounds
	reading
)

// Follow reads a partition from an offset on, or from the start of the log if
// that is below 0, and calls fn with each record, in order. With the epoch of
// the record before (-1 if unknown) it is noticed if the log was cut meanwhile.
//
// One goroutine calls fn for all partitions: fn must not block. It may call
// Follow and Stop. A partition has one follower; a second one stops the first.
func (l *Log) Follow(topic string, partition int32, from kgo.EpochOffset, fn func(*kgo.Record)) *Follower {
	f := &Follower{reader: l.reader, topic: topic, id: partition, fn: fn, next: from.Offset, epoch: from.Epoch}
	l.reader.do(func() { l.reader.add(f) })
	return f
}

// Stop ends reading. It does not wait: a call of fn that has begun goes on, but
// none begins.
func (f *Follower) Stop() {
	if !f.stopped.Swap(true) {
		f.reader.do(func() { f.reader.remove(f) })
	}
}

func (f *Follower) place() place { return place{f.topic, f.id} }

// take hands over records that were fetched.
func (f *Follower) take(records []*kgo.Record) {
	for _, rec := range records {
		if f.stopped.Load() {
			return
		}
		if rec.Offset < f.next {
			continue
		}
		f.next, f.epoch = rec.Offset+1, rec.LeaderEpoch
		f.fn(rec)
	}
}
