package dlq

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/parking"
)

// The defaults of a [Redrive].
const (
	DefaultRate        = 100 // letters a second
	DefaultMaxRedrives = 3
)

// maxRefusals is how many refused letters are told one by one.
const maxRefusals = 20

// A Redrive says which letters to send back, and how.
type Redrive struct {
	// Source is where the letters are. It is required.
	Source Source

	// Abandon leaves an earlier redrive of another selection that was killed
	// as it is. What it sent last may be sent again.
	Abandon bool

	// Action is what is to become of the letters.
	//
	// Defaults to [Return].
	Action Action

	// Again selects letters that were sent before, too.
	Again bool

	// Force sends letters that came back MaxRedrives times, too.
	Force bool

	// MaxRedrives is how often a letter may come back before it is refused.
	//
	// Defaults to [DefaultMaxRedrives].
	MaxRedrives int

	// Query selects the letters. Its Limit counts those that can be sent.
	Query Query

	// Rate is how many letters to send in a second at most.
	//
	// Defaults to [DefaultRate].
	Rate float64
}

func (r Redrive) withDefaults() Redrive {
	r.Action = cmp.Or(r.Action, Return)
	r.MaxRedrives = cmp.Or(r.MaxRedrives, DefaultMaxRedrives)
	r.Rate = cmp.Or(r.Rate, DefaultRate)
	return r
}

// A Plan is what a redrive would do. It holds for the letters that were there
// when it was made; [Client.Run] sends those and no later ones.
type Plan struct {
	Redrive

	// ID names the redrive.
	ID [16]byte

	// Resumed reports that an earlier redrive of the same selection stopped on
	// its way, and this plan goes on with it.
	Resumed bool

	// Counts are what was found. Of a resumed redrive they are what is left.
	Counts Counts

	began      time.Time
	partitions int // of the retry topic
	todo       spans
	starts     map[int32]int64 // of the dead-letter partitions
	was        map[int32]memory
}

// Name is the redrive's id in text.
func (p *Plan) Name() string { return hex.EncodeToString(p.ID[:]) }

// Empty reports whether there is nothing to send.
func (p *Plan) Empty() bool { return p.Counts.Sendable() == 0 }

// Counts are what a redrive found or did, in letters.
type Counts struct {
	Read      int               `json:"read"`
	Selected  int               `json:"selected"`
	Undecided int               `json:"undecided,omitempty"` // the filter had no answer
	Before    int               `json:"sentBefore"`          // selected, and sent by an earlier redrive
	Inject    int               `json:"inject"`              // to be handled again, or sent for it
	Release   int               `json:"release"`             // parked keys to go on with their head
	Skip      int               `json:"skip"`                // parked keys to go on without it
	Refused   int               `json:"refused"`
	Reasons   map[string]int    `json:"reasons"`            // of those that can be sent
	Refusals  []diag.Diagnostic `json:"refusals,omitempty"` // of some refused letters
	Oldest    time.Time         `json:"oldest,omitzero"`    // of those that can be sent
	Newest    time.Time         `json:"newest,omitzero"`
	Why       string            `json:"why,omitempty"` // the filter had no answer for a letter
}

// Sendable is how many letters can be sent, or were.
func (c Counts) Sendable() int { return c.Inject + c.Release + c.Skip }

// add counts a letter that can be sent.
func (c *Counts) add(l *Letter, do parking.Op) {
	switch do {
	case parking.Inject:
		c.Inject++
	case parking.Release:
		c.Release++
	case parking.Skip:
		c.Skip++
	}
	if c.Reasons == nil {
		c.Reasons = map[string]int{}
	}
	c.Reasons[l.Reason]++
	if c.Oldest.IsZero() || l.Time.Before(c.Oldest) {
		c.Oldest = l.Time
	}
	if l.Time.After(c.Newest) {
		c.Newest = l.Time
	}
}

// refuse counts a letter that cannot be sent.
func (c *Counts) refuse(err error) {
	c.Refused++
	if len(c.Refusals) < maxRefusals {
		c.Refusals = append(c.Refusals, diag.Of(err)...)
	}
}

// memory is what is known of one partition: where the last redrive is, and what
// was ever sent.
type memory struct {
	at int64
	Progress
}

// Prepare looks at the letters and says what a redrive would do. It sends
// nothing and changes nothing.
func (c *Client) Prepare(ctx context.Context, r Redrive) (*Plan, error) {
	p := &Plan{Redrive: r.withDefaults(), began: c.cfg.Now().UTC().Truncate(time.Millisecond)}
	s := p.Source
	var err error
	if p.partitions, err = c.partitions(ctx, s); err != nil {
		return nil, err
	}
	if p.was, err = c.remember(ctx, s); err != nil {
		return nil, err
	}
	if p.todo, p.starts, err = c.extent(ctx, s, p.Query); err != nil {
		return nil, err
	}
	if err := p.resume(); err != nil {
		return nil, err
	}
	if !p.Resumed {
		rand.Read(p.ID[:])
	}
	return p, c.count(ctx, p)
}

// remember reads what earlier redrives left.
func (c *Client) remember(ctx context.Context, s Source) (map[int32]memory, error) {
	positions, err := c.log.Committed(ctx, s.Progress, s.Topic)
	if err != nil {
		return nil, c.failed(err, "read the progress of "+s.Topic, "group "+s.Progress, "READ")
	}
	was := map[int32]memory{}
	for p, at := range positions {
		if progress, ok := DecodeProgress(at.Metadata); ok {
			was[p] = memory{at.Offset, progress}
		}
	}
	return was, nil
}

// resume makes the plan go on with a redrive that stopped on its way. One of
// another selection that was killed is in the way: what it sent last is not
// known.
func (p *Plan) resume() error {
	mine := p.selection()
	for id, was := range p.was {
		switch {
		case was.State == Done:
		case was.Selection == mine && !p.Abandon:
			p.Resumed, p.ID, p.began = true, was.Redrive, time.UnixMilli(was.Began).UTC()
		case was.State == Running && !p.Abandon:
			return diag.New(diag.DLQUnfinished, "redrive %x of %s was killed in partition %d, before offset %d of %d",
				was.Redrive, p.Source.Topic, id, was.at, was.End)
		}
	}
	if !p.Resumed {
		return nil
	}
	left := spans{}
	for id, was := range p.was {
		start := max(was.at, p.starts[id])
		if was.State != Done && was.Redrive == p.ID && start < was.End {
			left[id] = kafka.Span{Start: start, End: was.End}
		}
	}
	p.todo = left
	return nil
}

// selection is what the redrive is recognised by when it is resumed.
func (p *Plan) selection() [8]byte {
	h := p.Query.hash()
	for i, b := range []byte(fmt.Sprint(p.Action, p.Again, p.Force, p.MaxRedrives)) {
		h[i%len(h)] = h[i%len(h)]*31 + b
	}
	return h
}

// count goes through the letters and ends the plan where its limit is reached.
func (c *Client) count(ctx context.Context, p *Plan) error {
	if p.Query.Limit > 0 && !p.Resumed {
		return c.countLimited(ctx, p)
	}
	for rec, err := range c.read(ctx, p.Source.Topic, p.todo) {
		if err != nil {
			return err
		}
		p.find(rec)
	}
	return nil
}

func (c *Client) countLimited(ctx context.Context, p *Plan) error {
	all := p.todo
	p.todo = spans{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		for rec, err := range c.read(ctx, p.Source.Topic, spans{id: all[id]}) {
			if err != nil {
				return err
			}
			p.find(rec)
			p.todo[id] = kafka.Span{Start: all[id].Start, End: rec.Offset + 1}
			if p.Counts.Sendable() == p.Query.Limit {
				return nil
			}
		}
	}
	return nil
}

// find counts a letter among what can be sent.
func (p *Plan) find(rec *kgo.Record) {
	l := Read(rec)
	if do, ok := p.examine(l, p.sent(rec.Partition), &p.Counts); ok {
		p.Counts.add(l, do.Op)
	}
}

func (p *Plan) sent(partition int32) *Offsets {
	was := p.was[partition]
	return &was.Sent
}

// examine judges a letter, and returns the command for it, which the caller
// counts, if there is one. The same letter is judged the same each time.
func (p *Plan) examine(l *Letter, sent *Offsets, n *Counts) (command, bool) {
	n.Read++
	ok, err := p.Query.selects(l, p.began)
	if err != nil {
		n.Undecided++
		n.Why = cmp.Or(n.Why, err.Error())
	}
	if !ok {
		return command{}, false
	}
	n.Selected++
	if !p.Again && sent.Has(l.Offset) {
		n.Before++
		return command{}, false
	}
	do, err := p.Action.answer(l, p.Source, p.Name(), p.partitions)
	if err == nil && l.Redrives >= p.MaxRedrives && !p.Force && do.Op != parking.Skip {
		err = diag.New(diag.DLQLoop, "%s: it was sent back %d times already", l.Ref, l.Redrives)
	}
	if err != nil {
		n.refuse(err)
		return command{}, false
	}
	return do, true
}
