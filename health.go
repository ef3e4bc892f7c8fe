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
	members  []*consumer
	problems map[string]string
}

func (h *health) started(members []*consumer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up, h.members = true, members
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
// it from doing so: it has not started, a group was not joined yet, a partition
// was stopped, a dead letter cannot be written, records wait for the schema
// registry.
func (a *App) Ready() error {
	a.health.mu.Lock()
	defer a.health.mu.Unlock()
	if !a.health.up {
		return ErrNotRunning
	}
	var errs []error
	for _, c := range a.health.members {
		if _, generation := c.client.GroupMetadata(); generation < 0 {
			errs = append(errs, errors.New("group "+c.group+": not joined yet"))
		}
	}
	for _, thing := range slices.Sorted(maps.Keys(a.health.problems)) {
		errs = append(errs, errors.New(thing+": "+a.health.problems[thing]))
	}
	return errors.Join(errs...)
}
