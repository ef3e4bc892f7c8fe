package slipway

import (
	"errors"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A CheckStatus is how a [Check] stands.
type CheckStatus string

// How a check stands. One that warns leaves the service ready: something is
// wrong that no other instance would do better at, or that nobody notices yet.
const (
	CheckOK   CheckStatus = "ok"
	CheckWarn CheckStatus = "warn"
	CheckFail CheckStatus = "fail"
)

// A Check is one of the things that a service's health is made of.
type Check struct {
	Name   string      `json:"name"`
	Status CheckStatus `json:"status"`
	Reason string      `json:"reason,omitempty"` // what is wrong, or what there is to know
	Code   diag.Code   `json:"code,omitempty"`
	Fix    string      `json:"fix,omitempty"`
	Since  time.Time   `json:"since"` // when it came to stand so, as far as anybody looked
}

// Health is how a service stands, from what it knows already: asking for it
// sends nothing and waits for nothing.
type Health struct {
	// Started says that start-up is over. It stays so.
	Started bool `json:"started"`

	// Live is false when nothing but a new process can help, see [App.Live].
	Live bool `json:"live"`

	// Ready says that the service does its work and should be given more. It
	// is what no failing check means, and false from when the service is told
	// to stop.
	Ready bool `json:"ready"`

	// Checks are all checks, those that fail first, then by name.
	Checks []Check `json:"checks"`
}

// Status sums the health up: ok, degraded (something warns) or unavailable
// (something fails).
func (h Health) Status() string {
	status := "ok"
	for _, c := range h.Checks {
		switch c.Status {
		case CheckFail:
			return "unavailable"
		case CheckWarn:
			status = "degraded"
		}
	}
	return status
}

// Health returns how the service stands. It waits for neither the cluster nor the
// registry, and may be asked for at any time, before [App.Run] and after it.
//
// An outage of the cluster, or of the schema registry, is no reason to take a
// service out that was ready before: it would take all of its instances out at
// once, and none could do better. Such a check only warns then. It fails in an
// instance that has never been ready, so that a rollout stops.
func (a *App) Health() Health {
	found := a.judge(time.Now())
	h := Health{Started: a.health.isUp(), Live: a.Live() == nil, Ready: true, Checks: make([]Check, 0, len(found))}
	for _, f := range found {
		h.Checks = append(h.Checks, f.Check)
		h.Ready = h.Ready && f.Status != CheckFail
	}
	return h
}

// Ready returns nil while the service does its work, and otherwise what keeps
// it from doing so: each check of [App.Health] that fails. Before the service
// runs that is [ErrNotRunning]. A right that the cluster refuses is a
// [NotAuthorizedError] in it.
func (a *App) Ready() error {
	if !a.health.isUp() {
		return ErrNotRunning
	}
	var errs []error
	for _, f := range a.judge(time.Now()) {
		if f.Status == CheckFail {
			errs = append(errs, f.error())
		}
	}
	return errors.Join(errs...)
}

// Check adds a check of the service's own to its health: it fails while fn
// returns an error, or does not return within five seconds. fn is called every
// second from a goroutine of its own, while the service runs, and never by a
// probe. Register checks before [App.Run].
//
// A check says whether this instance can work where others could: what all of
// them share, such as one database, is better told by a metric.
func (a *App) Check(name string, fn func() error) {
	a.health.checks = append(a.health.checks, &ownCheck{name: name, fn: fn})
}

// Tell notes what keeps a part of the service from its work, or that nothing
// does any more if problem is "". It is for what runs beside the consumers, such
// as an outbox's relay. It is a check of [App.Health] under the name of the
// thing, which fails.
func (a *App) Tell(thing, problem string) { a.health.set(thing, problem) }
