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

// Rejected reports whether err came from [Reject].
func Rejected(err error) bool {
	_, ok := errors.AsType[*rejection](err)
	return ok
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
