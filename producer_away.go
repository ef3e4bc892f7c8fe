package slipway

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A fallback is what the contract's away does with records of one topic. It is
// asked before a record goes into the buffer, by the goroutine that sends and
// under no lock.
type fallback interface {
	// take is offered every record of the topic, some of them twice. away says
	// that the record could not go now: the buffer is full, or the cluster has
	// acknowledged nothing for a while. It returns true for a record that it
	// has dealt with: done has been called, or will be, exactly once. For a
	// record that it leaves, the pipe goes on: into the buffer, or waiting for
	// room in it until ctx ends.
	//
	// rec is complete; it belongs to whoever ends up with it.
	take(ctx context.Context, rec *kgo.Record, away bool, done func(*kgo.Record, error)) bool

	// close ends it, after the buffer was flushed. What it holds on disk
	// stays there.
	close() error
}

// fallbackOf returns what a topic's away asks for; nil for block. A topic with
// via: outbox has none: its records wait in the database.
func (a *App) fallbackOf(q *pipe, p *contract.Produce) (fallback, error) {
	if p.Via != contract.Direct {
		return nil, nil
	}
	switch p.Away {
	case contract.Spill:
		return a.openSpillway(q, p)
	case contract.Fail:
		return failing{q}, nil
	case contract.Sample:
		return &sampling{pipe: q}, nil
	default:
		return nil, nil
	}
}

// failing is away: fail. It refuses at once, and the sender decides.
type failing struct{ pipe *pipe }

func (f failing) take(_ context.Context, rec *kgo.Record, away bool, done func(*kgo.Record, error)) bool {
	if !away {
		return false
	}
	done(rec, f.pipe.refusal())
	return true
}

func (failing) close() error { return nil }

// refusal is why a record cannot go now, counted.
func (q *pipe) refusal() error {
	q.mu.Lock()
	away := q.away
	q.mu.Unlock()
	if away {
		q.counts.refusedAway.Add(1)
		return ErrAway
	}
	q.counts.refusedFull.Add(1)
	return ErrBufferFull
}

// reportEvery is how often away: sample reports one of the records it drops.
const reportEvery = 10 * time.Second

// sampling is away: sample, for what is worth less than waiting for it: it
// drops, counts every drop, and reports one in a while, by the hash of its key
// and its size and never by its value.
type sampling struct {
	pipe *pipe

	mu       sync.Mutex
	reported time.Time
	since    int64 // dropped since then
}

func (s *sampling) take(_ context.Context, rec *kgo.Record, away bool, done func(*kgo.Record, error)) bool {
	if !away {
		return false
	}
	why := s.pipe.refusal()
	if n, due := s.drop(); due {
		hash := fnv.New64a()
		_, _ = hash.Write(rec.Key)
		s.pipe.link.log.Warn("records dropped", "code", diag.ProducerDropped, "topic", rec.Topic, "dropped", n,
			"sample_key_hash", hash.Sum64(), "sample_bytes", recordSize(rec), "cause", why)
	}
	done(rec, &dropError{why})
	return true
}

// drop counts one and reports whether it is one to report.
func (s *sampling) drop() (n int64, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since++
	now := time.Now()
	if now.Sub(s.reported) < reportEvery {
		return 0, false
	}
	n, s.since, s.reported = s.since, 0, now
	return n, true
}

func (*sampling) close() error { return nil }

// dropError is an [ErrDropped] with its cause.
type dropError struct{ why error }

func (e *dropError) Error() string   { return ErrDropped.Error() + ": " + e.why.Error() }
func (e *dropError) Unwrap() []error { return []error{ErrDropped, e.why} }
