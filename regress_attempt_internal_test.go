package slipway

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestAnAttemptKeepsItsErrorAfterItsEnd(t *testing.T) {
	parent, cancel := context.WithCancelCause(t.Context())
	e := &entry{clock: newClock(), guard: &guard{}}
	e.timeout.Store(int64(time.Hour))
	a := new(attempt)
	a.begin(&call{began: e.clock.now()}, &work{rec: &kgo.Record{}, partition: &partition{entry: e, ctx: parent}})
	done := a.Done()
	cancel(ErrRevoked)
	before, cause := a.Err(), context.Cause(a)
	a.end()
	if a.Done() != done {
		t.Error("Done returns another channel after the handler has returned")
	}
	if got := context.Cause(a); !errors.Is(got, cause) {
		t.Errorf("Cause = %v after the handler has returned, was %v", got, cause)
	}
	_ = before

	b := new(attempt)
	e.timeout.Store(1)
	b.begin(&call{began: e.clock.now()}, &work{rec: &kgo.Record{}, partition: &partition{entry: e, ctx: t.Context()}})
	<-b.Done()
	was := b.Err()
	b.end()
	if got := b.Err(); !errors.Is(got, was) {
		t.Errorf("Err = %v after the handler has returned, was %v", got, was)
	}
}
