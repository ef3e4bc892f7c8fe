package slipway

import (
	"errors"
	"maps"
	"slices"
	"sync"
)

// health is what keeps a service from doing its work, by the thing concerned.
type health struct {
	mu       sync.Mutex
	up       bool
	problems map[string]string
}

func (h *health) started() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = true
}

// set notes a problem of a thing, or that it is gone if problem is "".
func (h *health) set(thing, problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if problem == "" {
		delete(h.problems, thing)
		return
	}
	if h.problems == nil {
		h.problems = make(map[string]string)
	}
	h.problems[thing] = problem
}

// Ready returns nil while the service does its work, and otherwise what keeps
// it from doing so: it has not started, a partition was stopped, a dead letter
// cannot be written.
func (a *App) Ready() error {
	a.health.mu.Lock()
	defer a.health.mu.Unlock()
	if !a.health.up {
		return ErrNotRunning
	}
	var errs []error
	for _, thing := range slices.Sorted(maps.Keys(a.health.problems)) {
		errs = append(errs, errors.New(thing+": "+a.health.problems[thing]))
	}
	return errors.Join(errs...)
}
