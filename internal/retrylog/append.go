package retrylog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrNotWritten reports that a record is not in the log and will not come into
// it. An append that failed with another error may have been written, or may
// still be.
var ErrNotWritten = errors.New("record was not written")

// refusals are answers that every attempt to write the record would get, the
// lost ones too.
var refusals = []error{
	kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp,
	kerr.InvalidTopicException, kerr.UnsupportedForMessageFormat, kerr.PolicyViolation,
}

// Append writes a record to its topic and partition. Records of one partition
// that are appended one after the other are written in that order. It waits
// only while too many are unacknowledged, no longer than ctx; what it has taken
// does not depend on ctx. The record must not be touched until done is called.
//
// The record's offset is set then, if there is no error. Done is called once
// for each record, by one goroutine after the other's, which it must not hold
// up, or by Append itself if the record was not taken.
func (l *Log) Append(ctx context.Context, rec *kgo.Record, done func(*kgo.Record, error)) {
	size := sizeOf(rec)
	if err := l.room.enter(ctx, size); err != nil {
		done(rec, l.appendFault(rec, err, true))
		return
	}
	rec.Context = l.ctx
	if !l.produce(rec, func(rec *kgo.Record, err error) {
		defer l.room.leave(size) // when it is over, so that Close waits for it
		if errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition) {
			l.look(rec.Topic)
		}
		if err != nil {
			err = l.appendFault(rec, err, l.unplaced(err) || slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }))
		}
		done(rec, err)
	}) {
		defer l.room.leave(size)
		done(rec, l.appendFault(rec, ErrClosed, true))
	}
}

// produce hands a record to the client unless that is closed, which would never
// give it back.
func (l *Log) produce(rec *kgo.Record, promise func(*kgo.Record, error)) bool {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if l.closed {
		return false
	}
	l.client.Produce(l.ctx, rec, promise)
	return true
}

// look finds out whether a topic that is unknown was made anew.
func (l *Log) look(topic string) {
	l.aside(func() { // which waits for the caller
		ctx, cancel := context.WithTimeout(l.ctx, boundsWait)
		defer cancel()
		_, _ = l.describe(ctx, topic, time.Nanosecond) // it is asked again with the next append
	})
}

// meet notes a topic's id. The client holds on to one that was deleted and made
// anew until told. It is told then and not by every failure: it numbers the
// batches of a topic that it has forgotten from the start, and a broker that
// remembers the ones before takes those for repetitions, and says that they are
// written.
func (l *Log) meet(topic string, id [16]byte) {
	l.mu.Lock()
	old, known := l.ids[topic]
	l.ids[topic] = id
	l.mu.Unlock()
	if known && old != id {
		l.aside(func() { l.client.PurgeTopicsFromProducing(topic) })
	}
}

// aside does something in a goroutine that Close waits for.
func (l *Log) aside(what func()) {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if !l.closed {
		l.asking.Go(what)
	}
}

// AppendSync writes a record and waits for its acknowledgement, no longer than
// ctx. Then the record may still be written, unless the error is
// [ErrNotWritten].
func (l *Log) AppendSync(ctx context.Context, rec *kgo.Record) error {
	acked := make(chan error, 1)
	l.Append(ctx, rec, func(_ *kgo.Record, err error) { acked <- err })
	select {
	case err := <-acked:
		return err
	case <-ctx.Done():
	}
	select { // what has come through just now counts
	case err := <-acked:
		return err
	default:
		return l.appendFault(rec, context.Cause(ctx), false)
	}
}

// unplaced reports whether a record was not sent because the client knows no
// such partition, and has it ask again: the partition may have been added.
func (l *Log) unplaced(err error) bool {
	if !strings.Contains(err.Error(), "invalid record partitioning choice") { // the client has no other word for it
		return false
	}
	l.client.ForceMetadataRefresh()
	return true
}

func (l *Log) appendFault(rec *kgo.Record, err error, certain bool) error {
	if errors.Is(err, kgo.ErrClientClosed) || l.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = ErrClosed
	}
	if certain {
		return fmt.Errorf("append to %s/%d: %w: %w", rec.Topic, rec.Partition, ErrNotWritten, err)
	}
	return fmt.Errorf("append to %s/%d: not acknowledged: %w", rec.Topic, rec.Partition, err)
}

// overhead is what a record costs beside its bytes, roughly.
const overhead = 256

func sizeOf(rec *kgo.Record) int {
	n := overhead + len(rec.Key) + len(rec.Value)
	for _, h := range rec.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}
