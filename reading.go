package slipway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/schema"
)

// errLeft says that the caller has left the loop, or that ctx has ended.
var errLeft = errors.New("reading has ended")

// A follower is one reading of one partition.
type follower struct {
	*source
	partition int32
	yield     func(*kgo.Record, error) bool // a record or an error; false ends the reading
	client    *kgo.Client
	next      int64 // the offset behind what was read
}

// run reads until ctx ends, the caller leaves, or nothing more can come.
func (f *follower) run(ctx context.Context, from Start, o readOptions) {
	begin, end, err := f.begin(ctx, f.partition, from)
	if err == nil && f.values == nil {
		err = ErrNotRunning // not yet
	}
	if err == nil {
		if o.untilEnd && begin >= end {
			return
		}
		err = f.open(begin)
	}
	if err != nil {
		if ctx.Err() == nil {
			f.yield(nil, f.fault(f.partition, err))
		}
		return
	}
	defer f.client.Close()
	f.next = begin
	for f.poll(ctx, o, end) {
		if o.untilEnd && f.next >= end {
			return
		}
	}
}

// open makes the client that fetches.
func (f *follower) open(begin int64) error {
	opts, err := f.link.commonOptions()
	if err != nil {
		return err
	}
	f.client, err = kgo.NewClient(append(opts,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{f.topic(): {f.partition: kgo.NewOffset().At(begin)}}),
		kgo.ConsumeResetOffset(resetOffset(f.consume.Gap)),
		kgo.FetchIsolationLevel(isolation(f.consume)),
		kgo.FetchMaxWait(fetchWait),
		kgo.KeepControlRecords(), // they move the end, so they have to be seen
	)...)
	return err
}

// idleTime is how long nothing comes before a reader that is to stop at the end
// looks whether there is anything left.
const idleTime = 2 * time.Second

// poll hands on what one fetch brings, and reports whether to go on.
func (f *follower) poll(ctx context.Context, o readOptions, end int64) bool {
	patience := ctx
	if o.untilEnd {
		var cancel context.CancelFunc
		patience, cancel = context.WithTimeout(ctx, idleTime)
		defer cancel()
	}
	fetches := f.client.PollRecords(patience, pollRecords)
	if ctx.Err() != nil || fetches.IsClientClosed() {
		return false
	}
	for _, rec := range fetches.Records() {
		f.next = max(f.next, rec.Offset+1)
		if o.untilEnd && rec.Offset >= end {
			return false
		}
		if !rec.Attrs.IsControl() && !f.yield(rec, nil) {
			return false
		}
	}
	if patience.Err() != nil {
		return f.look(ctx)
	}
	for _, e := range fetches.Errors() {
		if !f.failed(ctx, e.Err) {
			return false
		}
	}
	return true
}

// look moves the reader over offsets that hold no record any more: compaction
// leaves them, even at the end, and the client passes over them in silence.
func (f *follower) look(ctx context.Context) bool {
	next, empty, err := f.peek(ctx, f.client, f.partition, f.next)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		return f.failed(ctx, err)
	case empty:
		f.next = next
	}
	return true
}

// failed hands on an error, and reports whether to go on.
func (f *follower) failed(ctx context.Context, err error) bool {
	_, tooLarge := errors.AsType[*kgo.ErrDecompressTooLarge](err)
	gone := outOfRange(err)
	if gone {
		err = fmt.Errorf("%w behind %d: %w", ErrOffsetGone, f.next, err)
	}
	goesOn := f.consume.Gap == contract.GapEarliest || f.consume.Gap == contract.GapLatest
	last := tooLarge || gone && !goesOn
	return f.yield(nil, f.fault(f.partition, err)) && !last && rest(ctx, restTime)
}

// decode decodes a value. While the registry is away it tells so and tries
// again.
func (f *follower) decode(ctx context.Context, rec *kgo.Record, v any) error {
	if rec.Value == nil {
		return nil
	}
	wait := time.Second
	for {
		err := f.values.decode(ctx, rec, v)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errLeft
		case !errors.Is(err, schema.ErrUnavailable) && !errors.Is(err, schema.ErrUnauthorized):
			return fmt.Errorf("decode %s/%d@%d: %w", rec.Topic, rec.Partition, rec.Offset, err)
		}
		if !f.yield(nil, f.fault(f.partition, err)) || !rest(ctx, wait) {
			return errLeft
		}
		wait = min(2*wait, maxHurdleWait)
	}
}

// rest waits, and reports whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func isolation(c *contract.Consume) kgo.IsolationLevel {
	if c.Isolation == contract.Uncommitted {
		return kgo.ReadUncommitted()
	}
	return kgo.ReadCommitted()
}
