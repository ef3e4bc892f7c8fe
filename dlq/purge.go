package dlq

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Purge says which letters to delete. Kafka deletes from the start of a
// partition only, so it is everything before a time or a place.
type Purge struct {
	// Source is where the letters are. It is required.
	Source Source

	// Before deletes the letters of each partition up to the first one that was
	// written at this time or later. Either Before or Below is required.
	Before time.Time

	// Below deletes the letters of one partition below an offset.
	Below *Ref

	// Force deletes letters of parked keys that were not answered, too.
	// Without them nobody can release the key.
	Force bool
}

// A Removal is what a purge would delete.
type Removal struct {
	Purge
	Letters int             // that are there
	Unsent  int             // of them, never sent back
	Held    int             // of them, the only way to release a parked key
	Reasons map[string]int  // by reason
	Offsets map[int32]int64 // below which each partition is deleted
}

// Empty reports whether there is nothing to delete.
func (r *Removal) Empty() bool { return len(r.Offsets) == 0 }

// PreparePurge looks at the letters that a purge would delete. It deletes
// nothing.
func (c *Client) PreparePurge(ctx context.Context, p Purge) (*Removal, error) {
	r := &Removal{Purge: p, Reasons: map[string]int{}, Offsets: map[int32]int64{}}
	todo, _, err := c.extent(ctx, p.Source, Query{})
	if err != nil {
		return nil, err
	}
	var below map[int32]int64
	if p.Below != nil {
		below = map[int32]int64{p.Below.Partition: p.Below.Offset}
	} else if below, err = c.log.After(ctx, p.Source.Topic, p.Before); err != nil {
		return nil, c.failed(err, "look at "+p.Source.Topic, "topic "+p.Source.Topic, "READ")
	}
	for id, span := range todo {
		at, ok := below[id]
		span.End = min(span.End, at)
		if !ok || span.Start >= span.End {
			delete(todo, id)
			continue
		}
		todo[id] = span
		r.Offsets[id] = span.End
	}
	was, err := c.remember(ctx, p.Source)
	if err != nil {
		return nil, err
	}
	for rec, err := range c.read(ctx, p.Source.Topic, todo) {
		if err != nil {
			return nil, err
		}
		m := was[rec.Partition]
		r.add(Read(rec), m.Sent.Has(rec.Offset))
	}
	return r, nil
}

func (r *Removal) add(l *Letter, sent bool) {
	r.Letters++
	r.Reasons[l.Reason]++
	if sent {
		return
	}
	r.Unsent++
	if l.Parked() {
		r.Held++
	}
}

// Guard refuses a removal that would leave parked keys for ever.
func (r *Removal) Guard() error {
	if r.Held == 0 || r.Force {
		return nil
	}
	return diag.New(diag.DLQHeld, "%d of the letters are of parked keys that nobody released or skipped", r.Held)
}

// Remove deletes what PreparePurge found. An error names the partitions whose
// letters are still there.
func (c *Client) Remove(ctx context.Context, r *Removal) error {
	if err := r.Guard(); err != nil || r.Empty() {
		return err
	}
	topic := r.Source.Topic
	failed := c.log.DeleteBelow(ctx, topic, r.Offsets)
	if len(failed) == 0 {
		return nil
	}
	d := diag.New(diag.DLQPurge, "delete letters of %s: %d of %d partitions are as they were", topic, len(failed), len(r.Offsets))
	for _, p := range slices.Sorted(maps.Keys(failed)) {
		err := c.failed(failed[p], fmt.Sprintf("partition %d", p), "topic "+topic, "DELETE")
		if denied := diag.Of(err); len(denied) > 0 {
			return denied
		}
		d = d.WithEvidence("%v", err)
	}
	return d
}
