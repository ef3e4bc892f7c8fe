package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// alert is how often a relay looks that had something to do in the last
	// awake.
	alert = 10 * time.Millisecond
	awake = time.Second
)

// A publisher is what the relay needs of an app.
type publisher interface {
	// Publish writes a record; done is called exactly once.
	Publish(ctx context.Context, rec *kgo.Record, done func(error))
}

// A relay publishes rows. One goroutine owns the shards and does all reading,
// publishing and deleting; another keeps the leases; a third listens.
//
// A round of the loop takes in what was answered, deletes what came through and
// reads the next batch of every shard that has none under way, in one
// transaction, and publishes it. A row that was refused holds back its key; the
// key's other rows are read again after it, in order.
type relay struct {
	cfg    Config
	pub    publisher
	log    *slog.Logger
	store  *store
	leases *leases
	meters *meters
	health func(thing, problem string)
	grace  time.Duration // for what is under way at the shutdown

	bell   chan struct{} // something to look at
	called atomic.Bool   // rows may have been committed
	state  state

	mu      sync.Mutex
	answers []answer

	// The loop's own.
	flying context.Context // of publications
	shards map[int]*shard
	last   time.Time // when rows were read last
	dozing bool      // the tables say that this relay is asleep
	roused time.Time // when rows that are due were looked for
	began  time.Time // when the last round did
	fails  failures

	horizon horizon
}

// An answer is what became of a publication.
type answer struct {
	flight *flight
	err    error
	at     time.Time
}

func newRelay(cfg Config, pub publisher, log *slog.Logger, owner string) *relay {
	s := &store{db: cfg.DB, owner: owner, lease: cfg.Lease}
	return &relay{
		cfg: cfg, pub: pub, log: log, store: s, leases: &leases{store: s, lease: cfg.Lease}, meters: new(meters),
		health: func(string, string) {}, grace: 10 * time.Second,
		bell: make(chan struct{}, 1), shards: make(map[int]*shard),
	}
}

// ring has the loop look.
func (r *relay) ring() {
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// wake has the loop look for rows.
func (r *relay) wake() {
	r.called.Store(true)
	r.ring()
}

// run relays until ctx ends, waits for what is under way and gives the shards
// back.
func (r *relay) run(ctx context.Context) error {
	helpers, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var land context.CancelCauseFunc
	r.flying, land = context.WithCancelCause(context.WithoutCancel(ctx))
	defer land(nil)
	r.enlist()
	defer r.resign()
	defer r.meters.close()

	var all sync.WaitGroup
	if err := r.leases.renew(ctx); err != nil && ctx.Err() == nil {
		r.failed(err)
	}
	all.Go(func() { r.keep(helpers) })
	all.Go(func() { r.watch(helpers) })
	if r.cfg.Listen != nil {
		all.Go(func() { r.listen(ctx) })
	}
	all.Go(func() { // a publication that waits for room must not hold up the end
		select {
		case <-ctx.Done():
			r.pause(helpers, r.grace)
			land(context.Cause(ctx))
		case <-helpers.Done():
		}
	})
	r.loop(ctx)
	last := r.settle(context.WithoutCancel(ctx))
	stop()
	all.Wait()
	r.leave(context.WithoutCancel(ctx), last)
	return nil
}

// keep keeps the leases.
func (r *relay) keep(ctx context.Context) {
	r.leases.keep(ctx, func(err error) {
		if err != nil && ctx.Err() == nil {
			r.log.Warn("outbox leases cannot be renewed", "error", err)
		}
		r.ring()
	})
}

// listen is told of commits of other processes. A connection that breaks is
// made again.
func (r *relay) listen(ctx context.Context) {
	wait := firstWait
	for {
		began := time.Now()
		err := r.cfg.Listen(ctx, r.wake)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			wait = firstWait
		}
		r.log.Warn("outbox is not told of commits for now, and looks by itself", "error", err, "poll", r.cfg.Poll)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			wait = min(2*wait, longestWait)
		}
	}
}

// loop works until ctx ends.
func (r *relay) loop(ctx context.Context) {
	for ctx.Err() == nil {
		again, err := r.round(ctx)
		r.note(time.Now(), err)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.failed(err)
			r.pause(ctx, r.fails.wait)
			r.called.Store(true)
			continue
		}
		r.recovered()
		if !again {
			r.rest(ctx)
		}
	}
}

// pause waits whatever happens.
func (r *relay) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// rest waits until there may be something to do. A timer that runs out means
// looking for rows.
func (r *relay) rest(ctx context.Context) {
	select {
	case <-r.bell:
		if r.called.Swap(false) {
			r.look()
		}
		return
	default:
	}
	now := time.Now()
	until, look := now.Add(r.pollEvery(now)), true
	for _, s := range r.shards { // what was over when the round began, the round has seen
		if at := s.next(r.began); !at.IsZero() && at.Before(until) {
			until, look = at, false
		}
		if at := s.since.Add(patience); s.more && len(s.flights) > 0 && at.After(r.began) && at.Before(until) {
			until, look = at, false
		}
	}
	timer := time.NewTimer(max(until.Sub(now), time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-r.bell:
		look = r.called.Swap(false)
	case <-timer.C:
	}
	if look {
		r.look()
	}
}

// look marks all shards as to be read.
func (r *relay) look() {
	for _, s := range r.shards {
		s.more = true
	}
}

func (r *relay) pollEvery(now time.Time) time.Duration {
	if r.active(now) {
		return alert
	}
	return r.cfg.Poll
}

// active reports whether there was something to do lately.
func (r *relay) active(now time.Time) bool {
	return now.Sub(r.last) < awake
}

var errLost = errors.New("the shard's lease is lost")
