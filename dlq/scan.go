package dlq

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// spans are the offsets of a topic to read, by partition.
type spans map[int32]kafka.Span

// empty reports whether there is nothing to read.
func (s spans) empty() bool {
	for _, span := range s {
		if span.Start < span.End {
			return false
		}
	}
	return true
}

// extent is what a query can select of a source's topic now, and where the
// partitions of the topic start.
func (c *Client) extent(ctx context.Context, s Source, q Query) (todo spans, starts map[int32]int64, err error) {
	doing := "look at " + s.Topic
	all, err := c.log.Spans(ctx, s.Topic)
	if err != nil {
		return nil, nil, c.failed(err, doing, "topic "+s.Topic, "READ")
	}
	var from map[int32]int64
	if !q.Since.IsZero() {
		if from, err = c.log.After(ctx, s.Topic, q.Since); err != nil {
			return nil, nil, c.failed(err, doing, "topic "+s.Topic, "READ")
		}
	}
	todo, starts = spans{}, map[int32]int64{}
	for p, span := range all {
		starts[p] = span.Start
		if !q.reads(p) {
			continue
		}
		span.Start = max(span.Start, from[p])
		if q.At != nil {
			span.Start, span.End = max(span.Start, q.At.Offset), min(span.End, q.At.Offset+1)
		}
		if span.Start < span.End {
			todo[p] = span
		}
	}
	return todo, starts, nil
}

// read yields the committed records of a topic within the spans: partition by
// partition in ascending order, each by offset. So a limit means the same
// letters every time. It ends when all are read, or with an error.
func (c *Client) read(ctx context.Context, topic string, todo spans) iter.Seq2[*kgo.Record, error] {
	return func(yield func(*kgo.Record, error) bool) {
		if todo.empty() {
			return
		}
		r, err := c.newReader(topic)
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.client.Close()
		for _, p := range slices.Sorted(maps.Keys(todo)) {
			for rec, err := range r.partition(ctx, p, todo[p]) {
				if err != nil {
					yield(nil, c.failed(err, "read "+topic, "topic "+topic, "READ"))
					return
				}
				if !yield(rec, nil) {
					return
				}
			}
		}
	}
}

// A reader fetches from one partition of a topic at a time.
type reader struct {
	client   *kgo.Client
	topic    string
	patience time.Duration
}

func (c *Client) newReader(topic string) (*reader, error) {
	client, err := kgo.NewClient(append(slices.Clone(c.cfg.Options),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The last record before the end may be a marker, and only who sees it
		// knows that the end is reached.
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // retention overtakes readers
		kgo.FetchMaxBytes(16<<20),
		kgo.FetchMaxWait(500*time.Millisecond),
	)...)
	return &reader{client, topic, c.cfg.Patience}, err
}

// partition yields the records of one span without transaction markers.
func (r *reader) partition(ctx context.Context, p int32, span kafka.Span) iter.Seq2[*kgo.Record, error] {
	return func(yield func(*kgo.Record, error) bool) {
		if span.Start >= span.End {
			return
		}
		r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: {p: kgo.NewOffset().At(span.Start)}})
		defer r.client.RemoveConsumePartitions(map[string][]int32{r.topic: {p}})
		for {
			records, err := r.poll(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, rec := range records {
				if rec.Partition != p {
					continue // fetched before this partition's turn came
				}
				if rec.Offset < span.End && !rec.Attrs.IsControl() && !yield(rec, nil) {
					return
				}
				if rec.Offset >= span.End-1 {
					return
				}
			}
		}
	}
}

// poll returns what came, waiting for no longer than patience.
func (r *reader) poll(ctx context.Context) ([]*kgo.Record, error) {
	stalled := diag.New(diag.DLQStalled, "nothing was read of %s for %v, before its end", r.topic, r.patience)
	waiting, cancel := context.WithTimeoutCause(ctx, r.patience, stalled)
	defer cancel()
	fetches := r.client.PollFetches(waiting)
	if waiting.Err() != nil {
		return nil, context.Cause(waiting)
	}
	return fetches.Records(), fetches.Err()
}

// Letters yields the letters that a query selects, partition by partition,
// each by offset. The error is the last thing that it
// yields.
func (c *Client) Letters(ctx context.Context, s Source, q Query) iter.Seq2[*Letter, error] {
	return func(yield func(*Letter, error) bool) {
		todo, _, err := c.extent(ctx, s, q)
		if err != nil {
			yield(nil, err)
			return
		}
		now, n := c.cfg.Now(), 0
		for rec, err := range c.read(ctx, s.Topic, todo) {
			if err != nil {
				yield(nil, err)
				return
			}
			l := Read(rec)
			if ok, err := q.selects(l, now); err != nil || !ok {
				continue
			}
			if !yield(l, nil) {
				return
			}
			if n++; n == q.Limit {
				return
			}
		}
	}
}

// Letter returns one letter.
func (c *Client) Letter(ctx context.Context, s Source, at Ref) (*Letter, error) {
	for l, err := range c.Letters(ctx, s, Query{At: &at}) {
		return l, err
	}
	return nil, diag.New(diag.DLQNoLetter, "there is no letter %s", at)
}
