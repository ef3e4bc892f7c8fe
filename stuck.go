package slipway

import (
	"errors"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/protect"
)

const (
	// handlerGrace is how much longer than its timeout a handler may take to
	// notice that its context has ended.
	handlerGrace = 5 * time.Second

	// hopeless is after how many timeouts nobody expects a handler back.
	hopeless = 10
)

// newWatchdog returns what watches the handlers of an entry.
func (c *consumer) newWatchdog() *protect.Watchdog[attempt] {
	return protect.NewWatchdog(protect.WatchdogConfig[attempt]{
		Due:      func(a *attempt) time.Time { return a.deadline().Add(handlerGrace) },
		Report:   c.stuck,
		Returned: c.unstuck,
	})
}

// stuck tells of a handler that does not return.
func (c *consumer) stuck(o protect.Overdue[attempt]) {
	a := o.Subject
	a.partition.entry.meter.overdue()
	problem := fmt.Sprintf("does not return: it was called at %s and its timeout is %v", a.called().UTC().Format(time.RFC3339), a.limit-a.began)
	c.link.tell(private, a.String(), problem)
	c.link.log.Error("handler does not return", "code", diag.RuntimeHandlerStuck, "group", c.group, "topic", a.rec.Topic,
		"partition", a.rec.Partition, "offset", a.rec.Offset, "called", a.called(), "timeout", a.limit-a.began, "stack", o.Stack)
}

// unstuck tells that it has returned after all.
func (c *consumer) unstuck(a *attempt) {
	a.partition.entry.meter.back()
	c.link.tell(private, a.String(), "")
	c.link.log.Warn("handler has returned after all", "code", diag.RuntimeHandlerStuck, "group", c.group, "topic", a.rec.Topic,
		"partition", a.rec.Partition, "offset", a.rec.Offset, "took", time.Since(a.called()))
}

// String is what health calls an attempt.
func (a *attempt) String() string { return "handler of " + recordOf(a.rec) }

// called is when the handler was called.
func (a *attempt) called() time.Time { return a.partition.entry.clock.began.Add(a.began) }

// Live returns nil unless nothing but a new process can help: a handler has not
// returned for ten times its timeout, and at least as long as its context was
// over for five seconds. Kafka, the registry and what handlers depend on are no
// part of it: while one of them is away, a restart makes nothing better.
func (a *App) Live() error {
	var errs []error
	for _, c := range a.health.running() {
		for _, e := range c.entries {
			for _, late := range e.dog.Late() {
				if since := e.clock.now() - late.began; since >= hopeless*(late.limit-late.began) {
					errs = append(errs, fmt.Errorf("%v does not return since %v", late, since.Round(time.Second)))
				}
			}
		}
	}
	return errors.Join(errs...)
}
