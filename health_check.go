package slipway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	checkEvery   = time.Second
	checkTimeout = 5 * time.Second
)

// An ownCheck is a check of the service's own.
type ownCheck struct {
	name string
	fn   func() error

	mu    sync.Mutex
	asked time.Time // when the call began that runs; zero for none
	known bool
	err   error
}

// watchChecks asks the service's own checks until ctx ends. Each has a
// goroutine, because it may hang; nobody waits for one that does.
func (a *App) watchChecks(ctx context.Context) {
	for _, c := range a.health.checks {
		go func() {
			for c.ask(); waitFor(ctx, checkEvery); c.ask() {
			}
		}()
	}
}

// ask calls the check once.
func (c *ownCheck) ask() {
	c.mu.Lock()
	c.asked = time.Now()
	c.mu.Unlock()
	err := c.answer()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked, c.known, c.err = time.Time{}, true, err
}

// answer calls the service's function, whose panic is a failure.
func (c *ownCheck) answer() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("the check panics")
		}
	}()
	return c.fn()
}

func (c *ownCheck) judge(now time.Time) finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.asked.IsZero() && now.Sub(c.asked) >= checkTimeout:
		return failure(private, c.name, diag.HealthCheckFailed, "the check has not returned since %s", c.asked.UTC().Format(time.RFC3339))
	case !c.known:
		return failure(private, c.name, "", "has not been asked yet")
	case c.err != nil:
		f := failure(private, c.name, diag.HealthCheckFailed, "%v", c.err)
		if code := codeOf(c.err); code != "" {
			f.Code = code
		}
		return f
	}
	return okay(c.name, "")
}

// judgeOwn is what the service's own checks say, and the writing probe.
func (a *App) judgeOwn(now time.Time) []finding {
	var found []finding
	for _, c := range a.health.checks {
		found = append(found, c.judge(now))
	}
	if a.health.probe != nil {
		found = append(found, a.health.probe.link.found(a.health.probe.judge())...)
	}
	return found
}
