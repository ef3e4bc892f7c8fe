package slipway

import (
	"errors"
	"time"
)

// Reject says that a record can never be handled: it goes to the dead-letter
// topic at once, whatever attempts are left. Reject(nil) is nil.
func Reject(err error) error {
	if err == nil {
		return nil
	}
	return &rejection{err}
}

// RetryAfter says when to try a record again. The attempt counts, and after
// the last one the record goes where the contract says. The record's key waits
// in order; other keys go on. RetryAfter(d, nil) is nil.
func RetryAfter(delay time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &postponement{delay: delay, err: err}
}

// Park says that a record's key has to wait for an operator: the record and
// all later ones of its key keep their order in the retry topic until they are
// released, and other keys go on. Evidence goes to the dead-letter topic. An
// entry without a retry topic (no retry in the contract) rejects the record.
// Park(nil) is nil.
func Park(err error) error {
	if err == nil {
		return nil
	}
	return &parked{err}
}

// Skip says that a record is of no concern and why: it is finished, logged and
// counted as skipped, without a dead letter. Skip(nil) is nil.
func Skip(err error) error {
	if err == nil {
		return nil
	}
	return &skip{err}
}

// Trip says that what the handler depends on is away, whatever the record: the
// entry's breaker opens, nothing of the entry is handled until it lets a probe
// through, and no attempt is counted. An entry without a breaker in the
// contract tries the record again after a growing wait. Trip(nil) is nil.
func Trip(err error) error {
	if err == nil {
		return nil
	}
	return &trip{err}
}

// Decided reports whether err came from [Reject], [RetryAfter], [Park], [Skip]
// or [Trip]: whether a handler said itself what becomes of its record.
func Decided(err error) bool {
	return is[*rejection](err) || is[*postponement](err) || is[*parked](err) || is[*skip](err) || is[*trip](err)
}

// Rejected reports whether err came from [Reject].
func Rejected(err error) bool { return is[*rejection](err) }

// Skipped reports whether err came from [Skip].
func Skipped(err error) bool { return is[*skip](err) }

// Retryable reports whether a record that failed with err is worth another
// attempt (C10.1). It is, unless err came from [Reject], or an error in its
// chain has a method Retryable() bool that says no. So a client's own classes of errors decide where it has any,
// and an error of no class is tried again.
func Retryable(err error) bool {
	if Rejected(err) {
		return false
	}
	var r interface{ Retryable() bool }
	if errors.As(err, &r) {
		return r.Retryable()
	}
	return true
}

type rejection struct{ err error }

func (r *rejection) Error() string { return r.err.Error() }
func (r *rejection) Unwrap() error { return r.err }

type postponement struct {
	delay time.Duration
	err   error
}

func (p *postponement) Error() string { return p.err.Error() }
func (p *postponement) Unwrap() error { return p.err }

type parked struct{ err error }

func (p *parked) Error() string { return p.err.Error() }
func (p *parked) Unwrap() error { return p.err }

type skip struct{ err error }

func (s *skip) Error() string { return s.err.Error() }
func (s *skip) Unwrap() error { return s.err }

type trip struct{ err error }

func (t *trip) Error() string { return t.err.Error() }
func (t *trip) Unwrap() error { return t.err }

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
