package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// round does what can be done now, and reports whether there is more.
func (r *relay) round(ctx context.Context) (again bool, err error) {
	now := time.Now()
	before := r.began
	r.began = now
	valid, err := r.reconcile(ctx)
	if err != nil {
		return false, err
	}
	r.collect(ctx, now)
	for _, s := range r.shards {
		s.resume(before, now)
	}
	if valid {
		if err := r.rouse(ctx, now); err != nil {
			return false, err
		}
	}
	if back, err := r.horizon.advance(ctx, r.store, now); err != nil {
		return false, err
	} else if back {
		for _, s := range r.shards {
			s.floor = 0
		}
	}
	done := r.acked()
	var wants []want
	var except []int64
	if valid {
		wants, except = r.wants(now)
	}
	if len(done)+len(wants) == 0 {
		return false, r.doze(ctx, now)
	}
	began := time.Now()
	marked, rows, err := r.store.turn(ctx, marks(done), wants, except)
	if err != nil {
		return false, err
	}
	r.meters.turned(time.Since(began), marked, len(done)-marked)
	for _, f := range done {
		f.shard.acked = nil
	}
	again = r.publish(ctx, rows, wants)
	return again, r.doze(ctx, time.Now())
}

// reconcile brings the shards in line with the leases: it takes over what is
// new, drops what is lost, and gives back what is too much, once nothing of it
// is under way.
func (r *relay) reconcile(ctx context.Context) (valid bool, err error) {
	held, fair, valid := r.leases.now()
	for id, s := range r.shards {
		if generation, ok := held[id]; !ok || generation != s.generation {
			r.log.Warn("outbox shard was taken over by another instance", "shard", id)
			s.cancel(errLost)
			delete(r.shards, id)
			r.meters.lost.Add(1)
		}
	}
	for id, generation := range held {
		if r.shards[id] == nil {
			r.shards[id] = newShard(r.flying, id, generation, r.cfg.Batch)
			r.dozing = false // a shard is taken awake
		}
	}
	excess := len(r.shards) - fair
	for id, s := range r.shards {
		if s.leave = excess > 0; !s.leave {
			continue
		}
		excess--
		if !s.quiet() {
			continue
		}
		if err := r.leases.release(ctx, id); err != nil {
			return false, err
		}
		s.cancel(nil)
		delete(r.shards, id)
	}
	r.meters.held.Store(int64(len(r.shards)))
	return valid, nil
}

// collect takes in what became of publications.
func (r *relay) collect(ctx context.Context, now time.Time) {
	r.mu.Lock()
	answers := r.answers
	r.answers = nil
	r.mu.Unlock()
	for _, a := range answers {
		f := a.flight
		s := f.shard
		delete(s.flights, f.seq)
		if a.err == nil {
			s.landed(f)
			r.meters.published(a.at.Sub(time.UnixMicro(f.created)))
			continue
		}
		s.more = true
		if s.ctx.Err() != nil {
			continue // it is another's now
		}
		r.refused(ctx, f, a.err, now)
	}
}

// refused holds the row's key back, and says so once if only somebody else can
// help.
func (r *relay) refused(ctx context.Context, f *flight, err error, now time.Time) {
	r.meters.failed.Add(1)
	h := f.shard.refuse(f.row, now)
	if !final(err) || h.seq != f.seq || h.told == err.Error() {
		return
	}
	h.told = err.Error()
	d := diag.New(diag.OutboxStuck, "event %s for %s cannot be published: %v", f.id, f.topic, err)
	r.log.Error(d.Message, "code", d.Code, "key", string(f.key), "shard", f.shard.id, "since", time.UnixMicro(f.created), "fix", d.Remedy())
	if err := r.store.tell(ctx, f.shard.id, f.seq, h.told); err != nil {
		h.told = "" // the next attempt tells it
		r.log.Warn("a stuck row is not marked", "error", err)
	}
}

// acked lists what can be deleted.
func (r *relay) acked() []*flight {
	var done []*flight
	for _, s := range r.shards {
		done = append(done, s.acked...)
	}
	return done
}

func marks(done []*flight) []mark {
	all := make([]mark, len(done))
	for i, f := range done {
		all[i] = mark{f.shard.id, f.seq, f.shard.generation}
	}
	return all
}

// wants lists the shards that can be read, and the turns that must not be.
func (r *relay) wants(now time.Time) (wants []want, except []int64) {
	for _, s := range r.shards {
		if s.open(now) {
			wants = append(wants, want{s.id, s.floor, s.limit})
			except = s.busy(except, now)
		}
	}
	return wants, except
}

// publish hands rows on and reports whether there may be more of them at once.
func (r *relay) publish(ctx context.Context, rows []*row, wants []want) (more bool) {
	now := time.Now()
	if len(rows) > 0 {
		r.last = now
	}
	of := make(map[int][]*row)
	for _, row := range rows {
		of[row.shard] = append(of[row.shard], row)
	}
	for _, w := range wants {
		s := r.shards[w.shard]
		batch := of[w.shard]
		s.more, s.since = len(batch) == w.rows, now
		s.forget(batch, s.more, r.began)
		s.adapt(batch, r.cfg.Batch)
		s.raise(r.horizon.at, batch)
		for _, row := range s.pick(batch) {
			if ctx.Err() != nil {
				break // others publish it
			}
			f := &flight{row: row, shard: s, began: now}
			s.flights[row.seq] = f
			r.send(f)
		}
		more = more || s.more && len(s.flights) == 0
	}
	return more
}

// send publishes one row.
func (r *relay) send(f *flight) {
	rec, err := f.record()
	if err != nil {
		r.answer(f, fmt.Errorf("read row: %w", err))
		return
	}
	r.pub.Publish(f.shard.ctx, rec, func(err error) { r.answer(f, err) })
}

func (r *relay) answer(f *flight, err error) {
	a := answer{f, err, time.Now()}
	r.mu.Lock()
	r.answers = append(r.answers, a)
	r.mu.Unlock()
	r.ring()
}

// rouse looks for rows that have come due, as often as for others.
func (r *relay) rouse(ctx context.Context, now time.Time) error {
	every := min(r.cfg.Poll, awake)
	if now.Sub(r.roused) < every {
		return nil
	}
	var of []int
	for id, s := range r.shards {
		if !s.leave {
			of = append(of, id)
		}
	}
	n, err := r.store.rouse(ctx, of)
	if err != nil {
		return err
	}
	r.roused = now
	if n > 0 {
		r.look()
	}
	return nil
}

// doze notes in the tables that this relay wants to be woken, or no longer. It
// looks once more after that: a row may have been committed just before.
func (r *relay) doze(ctx context.Context, now time.Time) error {
	idle := !r.active(now)
	if r.cfg.Listen == nil || idle == r.dozing {
		return nil
	}
	if err := r.store.sleep(ctx, idle); err != nil {
		return fmt.Errorf("note that the outbox is idle: %w", err)
	}
	r.dozing = idle
	if idle {
		r.wake()
	}
	return nil
}
