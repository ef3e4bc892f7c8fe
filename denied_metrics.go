package slipway

import (
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slipway-go/slipway/internal/auth"
)

// guarded are the instruments of rights, passwords, certificates and the
// configuration.
type guarded struct {
	app atomic.Pointer[App]

	denied, missing                metric.Int64Observable
	using, mounted                 metric.Int64Observable
	refusedLogins, unreadPasswords metric.Int64Observable
	certified                      certified
	reconfigured                   reconfigured
}

func (g *guarded) make(m *maker) {
	g.denied = m.counter("kafka.acl.denied", "{refusal}", "Refusals for want of a right that the contract gives.")
	g.missing = m.gauge("kafka.acl.missing", "{right}", "1 for a right that the service lacks now.")
	g.using = m.gauge("slipway.credential", "{credential}", "1 for the mounted password that the cluster accepted last.")
	g.mounted = m.gauge("slipway.credential.mounted", "{credential}", "1 for a mounted password that can be used.")
	g.refusedLogins = m.counter("slipway.credential.refused", "{login}", "Logins that the cluster did not accept.")
	g.unreadPasswords = m.counter("slipway.credential.unread", "{time}", "How often a mounted password was found unusable.")
	g.certified.make(m)
	g.reconfigured.make(m)
}

const (
	keyOperation    = attribute.Key("operation")
	keyResourceType = attribute.Key("resource_type")
	keyResource     = attribute.Key("resource")
	keyWhich        = attribute.Key("which")
)

// collect observes an app that runs.
func (g *guarded) collect(to metric.Observer) {
	app := g.app.Load()
	if app == nil {
		return
	}
	for _, l := range app.links {
		g.link(to, l)
	}
	g.reconfigured.collect(to, app)
}

// link observes rights and logins of one cluster.
func (g *guarded) link(to metric.Observer, l *link) {
	for r, of := range l.denials.counts() {
		names := with(l.names(), keyTopic.String(r.topic()), keyOperation.String(r.operation), keyResourceType.String(r.kind), keyResource.String(r.name))
		to.ObserveInt64(g.denied, of.refused, names)
		to.ObserveInt64(g.missing, number(of.lacks), names)
	}
	g.certified.collect(to, l)
	if l.login.known() == nil {
		return
	}
	s := l.credential()
	for _, which := range []string{auth.Current, auth.Next, auth.Former} {
		name := with(l.names(), keyWhich.String(which))
		to.ObserveInt64(g.using, number(s.Using == which), name)
		if which != auth.Former {
			to.ObserveInt64(g.mounted, number(slices.Contains(s.Mounted, which)), name)
		}
	}
	to.ObserveInt64(g.refusedLogins, s.Refused, with(l.names()))
	to.ObserveInt64(g.unreadPasswords, s.Unread, with(l.names()))
}

func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// topic is the right's topic, "" for a right to something else.
func (r right) topic() string {
	if r.kind != ofTopic {
		return ""
	}
	return r.name
}

// A tally is how often a right was refused, and whether it lacks now.
type tally struct {
	refused int64
	lacks   bool
}

func (d *denials) counts() map[right]tally {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[right]tally, len(d.of))
	for r, of := range d.of {
		all[r] = tally{of.refused, of.err != nil}
	}
	return all
}
