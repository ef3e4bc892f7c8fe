package vault

import (
	"context"
	"errors"
	"time"
)

// longestPause is between two tries to keep what is due, when Vault is away.
const longestPause = 30 * time.Second

// Watch implements [config.Watcher]. It keeps the token and the leases alive, and
// tells when a credential or a secret is another one.
func (s *Source) Watch(ctx context.Context, changed func()) error {
	pause := time.Second
	wait := s.next(time.Now())
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		dirty, err := s.tend(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if dirty {
			changed()
		}
		if err != nil {
			wait, pause = pause, min(2*pause, longestPause)
			continue
		}
		wait, pause = s.next(time.Now()), time.Second
	}
}

// next is how long nothing needs to be done.
func (s *Source) next(now time.Time) time.Duration {
	s.turn <- struct{}{}
	defer s.release()
	at := now.Add(s.cfg.Poll)
	sooner := func(got time.Time, ttl time.Duration) {
		if ttl > 0 && due(got, ttl).Before(at) {
			at = due(got, ttl)
		}
	}
	if s.session != nil {
		sooner(s.session.got, s.session.ttl)
	}
	for _, l := range s.leases {
		if l != nil {
			sooner(l.got, l.ttl)
		}
	}
	return max(at.Sub(now), 100*time.Millisecond)
}

// tend does what is due. What it cannot do stays as it is and is tried again.
func (s *Source) tend(ctx context.Context) (dirty bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := s.take(ctx); err != nil {
		return false, err
	}
	defer s.release()
	errs := []error{s.prolong(ctx)}
	if now := time.Now(); len(s.cfg.KV) > 0 && !now.Before(s.polled.Add(s.cfg.Poll)) {
		s.polled = now
		given, err := s.readKV(ctx)
		errs = append(errs, err)
		dirty = err == nil && fingerprint(given) != s.given
	}
	for i, d := range s.cfg.Dynamic {
		changed, err := s.keep(ctx, i, d)
		dirty, errs = dirty || changed, append(errs, err)
	}
	return dirty, errors.Join(errs...)
}
