package proc_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/internal/proc"
)

var errCrash = errors.New("exit status 1")

// lives makes a run that ends after each of the given times in turn, and
// after that runs until it is stopped.
func lives(times ...time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		if len(times) == 0 {
			<-ctx.Done()
			return nil
		}
		life := times[0]
		times = times[1:]
		select {
		case <-ctx.Done():
		case <-time.After(life):
		}
		return errCrash
	}
}

func TestPausesDoubleAndStartOverAfterALongLife(t *testing.T) {
	t.Parallel()
	const s, m = time.Second, time.Minute
	for name, tt := range map[string]struct {
		policy proc.Policy
		lives  []time.Duration
		want   []time.Duration
	}{
		"at once":         {proc.Policy{}, []time.Duration{0, 0, 0, 0}, []time.Duration{1 * s, 2 * s, 4 * s, 8 * s}},
		"up to the bound": {proc.Policy{Limit: 9}, make([]time.Duration, 8), []time.Duration{1 * s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s, 30 * s}},
		"after a life":    {proc.Policy{}, []time.Duration{0, 0, m, 0}, []time.Duration{1 * s, 2 * s, 1 * s, 2 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errors.New("enough"))
				defer cancel()
				var got []time.Duration
				err := proc.Keep(ctx, tt.policy, lives(tt.lives...), func(e proc.Exit) { got = append(got, e.Pause) })
				if err == nil || err.Error() != "enough" || !slices.Equal(got, tt.want) {
					t.Errorf("pauses = %v and %v, want %v and the cause", got, err, tt.want)
				}
			})
		})
	}
}

func TestFiveEndsInAMinuteAreTooMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, ends := time.Now(), 0
		err := proc.Keep(t.Context(), proc.Policy{}, lives(make([]time.Duration, 9)...), func(proc.Exit) { ends++ })
		gaveUp, ok := errors.AsType[*proc.GivenUpError](err)
		if !ok || ends != 5 || gaveUp.Exits != 5 || !errors.Is(err, errCrash) {
			t.Errorf("after %d ends: %v, want to give up after 5", ends, err)
		}
		if got, want := time.Since(began), 15*time.Second; got != want {
			t.Errorf("gave up after %v, want %v", got, want)
		}
		if got, want := err.Error(), "ended 5 times within 1m0s, the last time with: exit status 1"; got != want {
			t.Errorf("error = %q, want %q", got, want)
		}
	})
}

func TestEndsFarApartAreRestartedForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
		defer cancel()
		ends := 0
		run := func(ctx context.Context) error { return lives(25 * time.Second)(ctx) }
		if err := proc.Keep(ctx, proc.Policy{}, run, func(proc.Exit) { ends++ }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Keep() = %v after %d ends, want it to keep on", err, ends)
		}
		if ends < 1000 {
			t.Errorf("%d ends in two days", ends)
		}
	})
}

func TestCancelEndsThePauseAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("shutdown")
		ctx, cancel := context.WithCancelCause(t.Context())
		began := time.Now()
		err := proc.Keep(ctx, proc.Policy{}, lives(0), func(proc.Exit) { cancel(cause) })
		if !errors.Is(err, cause) || time.Since(began) != 0 {
			t.Errorf("Keep() = %v after %v, want the cause at once", err, time.Since(began))
		}
	})
}
