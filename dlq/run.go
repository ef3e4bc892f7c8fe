package dlq

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

const (
	// maxChunk is how many commands are on their way at a time.
	maxChunk = 100

	// maxChunkBytes keeps their batch below what topics take by default; a
	// letter that is larger travels alone.
	maxChunkBytes = 512 << 10

	// commitEvery and commitAfter are how much of a redrive a kill repeats at
	// most, in time and in commands, but for those that are on their way. A
	// service knows the last ten thousand that it settled.
	commitEvery = time.Second
	commitAfter = 2000

	// grace is what a redrive that is told to stop takes to end in good order.
	grace = 10 * time.Second
)

// A Report is what a redrive has done.
type Report struct {
	Plan   *Plan
	Counts Counts // Inject, Release and Skip are acknowledged commands

	// Forgotten is how many letters were sent and will not be remembered,
	// because there is no room for so many gaps. The oldest are forgotten.
	Forgotten int64

	Took time.Duration
}

// Run sends what a plan found, and returns what it did, also beside an error.
// observe is called now and then with the counts so far, and may be nil.
//
// When ctx ends the commands that are on their way are awaited, and the rest is
// left for another time: the same redrive, prepared again, goes on from there.
// After an error or a kill it does so too, and repeats what was not remembered;
// the service recognises and ignores it.
func (c *Client) Run(ctx context.Context, p *Plan, observe func(Counts)) (Report, error) {
	if observe == nil {
		observe = func(Counts) {}
	}
	r := &runner{
		client: c, plan: p, observe: observe, began: c.cfg.Now(),
		at: map[int32]int64{}, sent: map[int32]*Offsets{},
		limit: rate.NewLimiter(rate.Limit(p.Rate), max(1, min(maxChunk, int(p.Rate/10)))),
	}
	err := r.run(ctx)
	return Report{Plan: p, Counts: r.counts, Forgotten: r.forgotten, Took: c.cfg.Now().Sub(r.began)}, err
}

// A runner is one call of Run.
type runner struct {
	client  *Client
	plan    *Plan
	observe func(Counts)
	began   time.Time
	limit   *rate.Limiter

	counts    Counts
	at        map[int32]int64 // what is settled: the next offset to examine
	sent      map[int32]*Offsets
	forgotten int64

	committed  time.Time // when progress was remembered last
	remembered int       // how many commands that was

	chunk []pending
	read  int64 // the next offset of the chunk's partition to examine
}

// A pending letter has its command and no acknowledgement yet.
type pending struct {
	letter  *Letter
	command command
}

func (r *runner) run(ctx context.Context) error {
	for p, span := range r.plan.todo {
		r.at[p] = span.Start
		sent := Offsets{slices.Clone(r.plan.was[p].Sent.runs)}
		sent.Trim(r.plan.starts[p])
		r.sent[p] = &sent
	}
	// Without this a kill before the first commit would leave commands of a
	// redrive that nobody remembers.
	if err := r.commit(ctx, Running); err != nil {
		return err
	}
	err := r.pump(ctx)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	switch {
	case err == nil:
		for p, span := range r.plan.todo {
			r.at[p] = span.End
		}
		return r.commit(ending, Done)
	case errors.Is(err, diag.DLQSend):
		return errors.Join(err, r.commit(ending, Running)) // some may have arrived
	}
	return errors.Join(err, r.commit(ending, Stopped))
}

// pump reads, judges and sends.
func (r *runner) pump(ctx context.Context) error {
	partition := int32(-1)
	for rec, err := range r.client.read(ctx, r.plan.Source.Topic, r.plan.todo) {
		if err != nil {
			return errors.Join(err, r.flush(ctx, partition))
		}
		if rec.Partition != partition {
			if err := r.flush(ctx, partition); err != nil {
				return err
			}
			partition = rec.Partition
		}
		if err := r.take(ctx, rec); err != nil {
			return err
		}
	}
	return r.flush(ctx, partition)
}

// take judges one letter, and has its command sent with those before it, or
// with some that follow.
func (r *runner) take(ctx context.Context, rec *kgo.Record) error {
	l := Read(rec)
	do, ok := r.plan.examine(l, r.plan.sent(rec.Partition), &r.counts)
	if !ok {
		r.read = rec.Offset + 1
		if len(r.chunk) > 0 {
			return nil
		}
		return r.flush(ctx, rec.Partition)
	}
	if !r.fits(l) {
		if err := r.flush(ctx, rec.Partition); err != nil {
			return err
		}
	}
	if err := r.limit.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return errors.Join(err, r.flush(ctx, rec.Partition))
	}
	r.chunk, r.read = append(r.chunk, pending{l, do}), rec.Offset+1
	if len(r.chunk) < r.limit.Burst() {
		return nil
	}
	return r.flush(ctx, rec.Partition)
}

// fits reports whether a letter may travel with the chunk. Commands of one key
// are acknowledged one after the other: if an earlier one had to be repeated
// after a later one had arrived, the service would take it for settled.
func (r *runner) fits(l *Letter) bool {
	size := l.ValueSize
	for _, p := range r.chunk {
		if l.Key != nil && bytes.Equal(p.letter.Key, l.Key) {
			return false
		}
		size += p.letter.ValueSize
	}
	return size <= maxChunkBytes
}

// flush sends what waits and has it acknowledged. What is on its way is awaited
// even if ctx ends meanwhile: then it is known how far the redrive came.
func (r *runner) flush(ctx context.Context, partition int32) error {
	if partition < 0 {
		return nil
	}
	if len(r.chunk) > 0 {
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err := r.send(sending, partition); err != nil {
			return err
		}
		r.observe(r.counts)
	}
	r.at[partition] = r.read
	due := r.client.cfg.Now().Sub(r.committed) >= commitEvery || r.counts.Sendable() >= r.remembered+commitAfter
	if ctx.Err() != nil || !due {
		return nil
	}
	return r.commit(ctx, Running)
}

// send writes the chunk's commands. After an error the partition is settled up
// to the first letter whose command is not known to have arrived.
func (r *runner) send(ctx context.Context, partition int32) error {
	chunk, topic := r.chunk, r.plan.Source.Retry
	r.chunk = nil
	records := make([]*kgo.Record, len(chunk))
	for i, p := range chunk {
		records[i] = p.command.encode(topic)
	}
	errs := map[*kgo.Record]error{}
	for _, res := range r.client.client.ProduceSync(ctx, records...) {
		errs[res.Record] = res.Err
	}
	for i, rec := range records {
		err := errs[rec]
		if errors.Is(err, kerr.MessageTooLarge) && len(records) > 1 { // together, perhaps
			err = r.client.client.ProduceSync(ctx, chunk[i].command.encode(topic)).FirstErr()
		}
		if err := r.acknowledge(chunk[i], partition, err); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) acknowledge(p pending, partition int32, err error) error {
	l, s := p.letter, r.plan.Source
	switch {
	case err == nil:
		r.counts.add(l, p.command.Op)
		r.sent[partition].Add(l.Offset)
		return nil
	case errors.Is(err, kerr.MessageTooLarge):
		r.counts.refuse(diag.New(diag.DLQTooLarge, "%s: its command is larger than %s takes", l.Ref, s.Retry))
		return nil
	}
	r.at[partition] = l.Offset
	if err := r.client.failed(err, "write to "+s.Retry, "topic "+s.Retry, "WRITE"); errors.Is(err, diag.DLQDenied) {
		return err
	}
	return diag.New(diag.DLQSend, "write the command for %s: %v", l.Ref, err)
}

// commit remembers how far the redrive came.
func (r *runner) commit(ctx context.Context, state State) error {
	s := r.plan.Source
	positions := map[int32]kafka.Position{}
	r.forgotten = 0
	for _, p := range slices.Sorted(maps.Keys(r.at)) {
		progress := Progress{
			State: state, Redrive: r.plan.ID, Selection: r.plan.selection(),
			Began: r.plan.began.UnixMilli(), End: r.plan.todo[p].End, Sent: *r.sent[p],
		}
		if r.at[p] >= progress.End {
			progress.State = Done
		}
		text, forgotten := progress.Encode()
		r.forgotten += forgotten
		positions[p] = kafka.Position{Offset: r.at[p], Metadata: text}
	}
	if state != Running || r.committed.IsZero() {
		r.leave(positions)
	}
	if len(positions) == 0 {
		return nil
	}
	if err := r.client.log.Commit(ctx, s.Progress, s.Topic, positions); err != nil {
		return r.client.failed(err, "remember the progress of "+s.Topic, "group "+s.Progress, "READ")
	}
	r.committed, r.remembered = r.client.cfg.Now(), r.counts.Sendable()
	return nil
}

// leave closes an abandoned redrive in the partitions that this one leaves
// alone.
func (r *runner) leave(positions map[int32]kafka.Position) {
	for p, was := range r.plan.was {
		if _, ours := positions[p]; ours || was.State == Done {
			continue
		}
		was.State = Done
		text, _ := was.Progress.Encode()
		positions[p] = kafka.Position{Offset: was.at, Metadata: text}
	}
}
