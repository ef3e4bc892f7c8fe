package slipway

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// health is what keeps a service from doing its work, by the thing concerned.
type health struct {
	mu       sync.Mutex
	up       bool
	members  []*consumer
	problems map[concern]string
}

// A concern is a thing that health knows of, in a group or (without one) of the
// whole service: two groups may read one topic.
type concern struct{ thing, group string }

func (h *health) started(members []*consumer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up, h.members = true, members
}

// tell notes a problem of the group's, or that it is gone if problem is "".
func (c *consumer) tell(thing, problem string) {
	c.app.health.note(concern{thing, c.group}, problem)
}

// set notes a problem of a thing, or that it is gone if problem is "".
func (h *health) set(thing, problem string) { h.note(concern{thing: thing}, problem) }

func (h *health) note(of concern, problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if problem == "" {
		delete(h.problems, of)
		return
	}
	if h.problems == nil {
		h.problems = make(map[concern]string)
	}
	h.problems[of] = problem
}

// now copies what is known: whoever judges it asks consumers, which have locks of
// their own and note problems under them.
func (h *health) now() (up bool, members []*consumer, problems map[concern]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up, h.members, maps.Clone(h.problems)
}

// Tell notes what keeps a part of the service from its work, or that nothing
// does any more if problem is "". It is for what runs beside the consumers, such
// as an outbox's relay. [App.Ready] returns it under the name of the thing.
func (a *App) Tell(thing, problem string) { a.health.set(thing, problem) }

// Ready returns nil while the service does its work, and otherwise what keeps
// it from doing so: it has not started, a group was not joined yet, a partition
// was stopped, a dead letter cannot be written, records wait for the schema
// registry. A right that the cluster refuses is a [NotAuthorizedError] in it.
func (a *App) Ready() error {
	up, members, problems := a.health.now()
	if !up {
		return ErrNotRunning
	}
	var errs []error
	for _, c := range members {
		if _, generation := c.client.GroupMetadata(); generation < 0 {
			errs = append(errs, errors.New("group "+c.group+": not joined yet"))
		} else if !c.underWay.Load() && len(c.closedPartitions()) > 0 {
			errs = append(errs, errors.New("group "+c.group+": first partitions are being opened"))
		}
	}
	for _, of := range slices.SortedFunc(maps.Keys(problems), concern.compare) {
		said := of.thing + ": " + problems[of]
		if of.group != "" && len(members) > 1 {
			said = "group " + of.group + ": " + said
		}
		errs = append(errs, errors.New(said))
	}
	if err := a.expired(); err != nil {
		errs = append(errs, fmt.Errorf("certificate: %w", err))
	}
	return errors.Join(append(errs, a.denials.standing()...)...)
}

func (c concern) compare(o concern) int {
	return cmp.Or(cmp.Compare(c.group, o.group), cmp.Compare(c.thing, o.thing))
}
