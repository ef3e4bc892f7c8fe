package slipway

import (
	"cmp"
	"maps"
	"sync"
	"time"
)

// health is what is known of how the service stands. Whoever knows something
// notes it here; [App.judge] makes checks of it when somebody asks.
type health struct {
	mu       sync.Mutex
	up       bool // start-up is over
	stopping bool
	stage    string // of the start-up
	members  []*consumer
	problems map[concern]problem
	past     map[string]change // how checks stood when somebody looked last, by name
	proved   bool              // the service was ready once
	unready  bool              // and then not any more, as the log has it

	checks []*ownCheck   // registered before the service runs
	probe  *writingProbe // nil unless the contract asks for it
}

// A concern is a thing that health knows of, in a group or (without one) of the
// whole service, and of a cluster: two groups may read one topic, and two clusters
// have one of the same name.
type concern struct{ thing, group, cluster string }

func (c concern) compare(o concern) int {
	return cmp.Or(cmp.Compare(c.cluster, o.cluster), cmp.Compare(c.group, o.group), cmp.Compare(c.thing, o.thing))
}

// A problem is what is wrong with a thing.
type problem struct {
	text  string
	since time.Time
	class class
}

// A change is how a check stands, and since when.
type change struct {
	status CheckStatus
	since  time.Time
}

// A class says whose problem something is: of two instances, would the other
// one fare better?
type class uint8

const (
	// private is a problem of this instance, or one that somebody has to mend.
	private class = iota

	// reaching is a problem with something that needs the cluster. In an outage
	// of the cluster it is everybody's.
	reaching

	// shared is a problem of what all instances need alike.
	shared
)

// begin notes what the start-up is at.
func (h *health) begin(stage string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stage = stage
}

func (h *health) started(members []*consumer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up, h.members = true, members
}

// stop notes that the service is told to stop, or has ended.
func (h *health) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// running are the members of groups, nil before the app runs.
func (h *health) running() []*consumer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.members
}

func (h *health) isUp() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up
}

// tell notes a problem of the group's, or that it is gone if problem is "". It
// is taken for one of the way to the cluster; halted is for others.
func (c *consumer) tell(thing, problem string) {
	c.app.health.note(concern{thing, c.group, c.link.alias}, problem, reaching)
}

// halted notes that a thing of the group stands still until somebody mends it.
func (c *consumer) halted(thing, problem string) {
	c.app.health.note(concern{thing, c.group, c.link.alias}, problem, private)
}

// set notes a problem of a thing, or that it is gone if problem is "".
func (h *health) set(thing, problem string) { h.note(concern{thing: thing}, problem, private) }

func (h *health) note(of concern, text string, class class) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text == "" {
		delete(h.problems, of)
		return
	}
	if h.problems == nil {
		h.problems = make(map[concern]problem)
	}
	was, known := h.problems[of]
	if !known {
		was.since = time.Now()
	}
	h.problems[of] = problem{text, was.since, class}
}

// A standing is a copy of what is known: whoever judges it asks consumers, which
// have locks of their own and note problems under them.
type standing struct {
	up, stopping, proved bool
	stage                string
	members              []*consumer
	problems             map[concern]problem
}

// sharing reports whether something of a cluster's is away that all instances
// need: what waits for it fails, too.
func (s standing) sharing(cluster string) bool {
	for of, p := range s.problems {
		if p.class == shared && of.cluster == cluster {
			return true
		}
	}
	return false
}

func (h *health) now() standing {
	h.mu.Lock()
	defer h.mu.Unlock()
	return standing{h.up, h.stopping, h.proved, h.stage, h.members, maps.Clone(h.problems)}
}

// remember notes how checks stand, and adds since when. It reports whether a
// service that was ready is not any more, or is again, since somebody looked last.
func (h *health) remember(found []finding, now time.Time) (turned bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	past := h.past
	h.past = make(map[string]change, len(found))
	ready := h.up && !h.stopping
	for i := range found {
		f := &found[i]
		was, known := past[f.Name]
		if !known || was.status != f.Status {
			was = change{f.Status, now}
			if !f.Since.IsZero() {
				was.since = f.Since
			}
		}
		f.Since, h.past[f.Name] = was.since, was
		ready = ready && f.Status != CheckFail
	}
	if turned = h.proved && !h.stopping && ready == h.unready; turned {
		h.unready = !ready
	}
	h.proved = h.proved || ready
	return turned
}
