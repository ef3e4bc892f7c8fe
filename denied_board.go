package slipway

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-go/slipway/diag"
)

const (
	// watchRights is how often the cluster is asked for rights that lack.
	watchRights = 2 * time.Second

	// deniedWait is the longest that anything waits which needs a right that
	// lacks, so that it goes on soon after the grant.
	deniedWait = 5 * time.Second
)

// denials are the rights that the cluster has refused. While one lacks, what
// needs it does not ask for it: a watch does, for all of them in one request,
// and then lets it be tried. So a service that many records wait in asks as
// often as an idle one.
//
// A right is lacking from the first refusal on, on trial once the cluster says
// that it is there, and granted when something succeeds that needs it, or when
// nothing was refused between two looks. A refusal on trial begins anew: one
// broker may know of a grant before another.
type denials struct {
	lack atomic.Int64 // rights that are not granted; nobody takes the lock for none

	mu       sync.Mutex
	of       map[right]*denial
	suspects map[right]bool // rights of which one lacks

	call     chan struct{} // something lacks
	end      context.CancelFunc
	watching sync.WaitGroup

	sends, buries primer
}

// A denial is what is known of one right. The lock of denials is held.
type denial struct {
	refused int64               // times
	err     *NotAuthorizedError // nil while it is granted
	since   time.Time
	trial   bool
	waiting []func() // called when it may be tried
}

// note notes that the cluster has refused a right.
func (d *denials) note(l *link, r right, answer error) *NotAuthorizedError {
	d.mu.Lock()
	defer d.mu.Unlock()
	of := d.of[r]
	if of == nil {
		if d.of == nil {
			d.of = make(map[right]*denial)
		}
		of = new(denial)
		d.of[r] = of
	}
	of.refused++
	of.trial = false
	if of.err == nil {
		of.err, of.since = l.lacking(r, answer), time.Now()
		d.lack.Add(1)
		l.log.Error("the cluster refuses a right, what needs it waits for it", "code", diag.RuntimeNotAuthorized,
			"principal", of.err.Principal, "operation", r.operation, "resource_type", r.kind, "resource", r.name,
			"entry", of.err.Entry, "error", answer, "fix", of.err.Fix)
	}
	d.poke()
	return of.err
}

// suspect notes that one of several rights lacks, to be found out which.
func (d *denials) suspect(rights ...right) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.suspects == nil {
		d.suspects = make(map[right]bool)
	}
	for _, r := range rights {
		d.suspects[r] = true
	}
	d.poke()
}

// poke has the watch begin.
func (d *denials) poke() {
	select {
	case d.call <- struct{}{}:
	default: // it runs, or there is none yet
	}
}

// lacks returns why there is no use in asking for what needs a right, nil if
// there is.
func (d *denials) lacks(r right) *NotAuthorizedError {
	if d.lack.Load() == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if of := d.of[r]; of != nil && of.err != nil && !of.trial {
		return of.err
	}
	return nil
}

// whenTried calls fn once a right may be tried: now, unless it lacks.
func (d *denials) whenTried(r right, fn func()) {
	d.mu.Lock()
	of := d.of[r]
	if of != nil && of.err != nil && !of.trial {
		of.waiting = append(of.waiting, fn)
		d.mu.Unlock()
		return
	}
	d.mu.Unlock()
	fn()
}

// there notes that the cluster says that a right is there.
func (d *denials) there(l *link, r right) {
	d.mu.Lock()
	of := d.of[r]
	if of == nil || of.err == nil {
		d.mu.Unlock()
		return
	}
	waiting := of.waiting
	of.waiting = nil
	if of.trial {
		d.grant(l, r, of)
	}
	of.trial = true
	d.mu.Unlock()
	for _, fn := range waiting {
		fn()
	}
}

// succeeded notes that something was done that needs a right.
func (d *denials) succeeded(l *link, r right) {
	if d.lack.Load() == 0 {
		return
	}
	d.mu.Lock()
	of := d.of[r]
	if of == nil || of.err == nil {
		d.mu.Unlock()
		return
	}
	waiting := of.waiting
	of.waiting = nil
	d.grant(l, r, of)
	d.mu.Unlock()
	for _, fn := range waiting {
		fn()
	}
}

// grant ends a denial. The lock is held.
func (d *denials) grant(l *link, r right, of *denial) {
	l.log.Info("the cluster grants the right again", "operation", r.operation, "resource_type", r.kind, "resource", r.name,
		"after", time.Since(of.since).Round(time.Millisecond), "refusals", of.refused)
	of.err = nil
	d.lack.Add(-1)
}

// A lack is a right that lacks, and since when.
type lack struct {
	err   *NotAuthorizedError
	since time.Time
}

// standing are the rights that lack, in order of what they are about.
func (d *denials) standing() []lack {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []lack
	for _, r := range slices.SortedFunc(maps.Keys(d.of), right.compare) {
		if of := d.of[r]; of.err != nil {
			all = append(all, lack{of.err, of.since})
		}
	}
	return all
}

func (r right) compare(o right) int {
	return cmp.Or(cmp.Compare(r.kind, o.kind), cmp.Compare(r.name, o.name), cmp.Compare(r.operation, o.operation))
}

// wait is how long to wait before something is tried again that failed with
// err: no longer than a grant may go unnoticed, if a right lacks.
func (a *App) wait(d time.Duration, err error) time.Duration {
	if refusedKind(err) != "" {
		return min(d, deniedWait)
	}
	return d
}

// silent reports whether a failure needs no line in the log: a right lacks, and
// that it hinders the thing is known.
func (c *consumer) silent(thing string, err error) bool {
	if refusedKind(err) == "" {
		return false
	}
	h := &c.app.health
	h.mu.Lock()
	defer h.mu.Unlock()
	_, known := h.problems[concern{thing, c.group, c.link.alias}]
	return known
}
