package dlq

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Summary is what a dead-letter topic holds.
type Summary struct {
	Source

	// Missing reports that the cluster does not have the topic yet.
	Missing bool `json:"missing,omitempty"`

	Letters    int            `json:"letters"`
	Sent       int            `json:"sent"`       // of them, sent back or skipped already; -1 if the principal may not know
	ParkedKeys int            `json:"parkedKeys"` // with a parked letter that was not answered
	Undecided  int            `json:"undecided,omitempty"`
	Reasons    map[string]int `json:"reasons"`
	Oldest     time.Time      `json:"oldest,omitzero"`
	Newest     time.Time      `json:"newest,omitzero"`

	// Unfinished names a redrive that stopped or was killed on its way.
	Unfinished string `json:"unfinished,omitempty"`
}

// Summarize counts the letters of a source that a query selects. It reads all
// of them. A topic that does not exist is told in the summary.
func (c *Client) Summarize(ctx context.Context, s Source, q Query) (Summary, error) {
	sum := Summary{Source: s, Reasons: map[string]int{}}
	todo, _, err := c.extent(ctx, s, q)
	if errors.Is(err, diag.DLQNoTopic) {
		sum.Missing = true
		return sum, nil
	}
	if err != nil {
		return sum, err
	}
	was, err := c.remember(ctx, s)
	unknown := errors.Is(err, diag.DLQDenied) // who may only read the letters
	if err != nil && !unknown {
		return sum, err
	}
	for _, m := range was {
		if m.State != Done {
			sum.Unfinished = (&Plan{ID: m.Redrive}).Name()
		}
	}
	keys, seed, now := map[uint64]bool{}, maphash.MakeSeed(), c.cfg.Now()
	for rec, err := range c.read(ctx, s.Topic, todo) {
		if err != nil {
			return sum, err
		}
		l := Read(rec)
		ok, err := q.selects(l, now)
		switch {
		case err != nil:
			sum.Undecided++
			continue
		case !ok:
			continue
		}
		m := was[l.Partition]
		sum.add(l, m.Sent.Has(l.Offset))
		if l.Parked() && !m.Sent.Has(l.Offset) {
			keys[maphash.Bytes(seed, l.Key)] = true
		}
		if sum.Letters == q.Limit {
			break
		}
	}
	sum.ParkedKeys = len(keys)
	if unknown {
		sum.Sent = -1
	}
	return sum, nil
}

func (s *Summary) add(l *Letter, sent bool) {
	s.Letters++
	if sent {
		s.Sent++
	}
	s.Reasons[l.Reason]++
	if s.Oldest.IsZero() || l.Time.Before(s.Oldest) {
		s.Oldest = l.Time
	}
	if l.Time.After(s.Newest) {
		s.Newest = l.Time
	}
}
