package slipway

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// certified are the instruments of the own certificate and of what is trusted.
type certified struct {
	expiry, lifetime      metric.Float64Observable
	failures, ended, late metric.Int64Observable
}

const keyHow = attribute.Key("how")

func (c *certified) make(m *maker) {
	c.expiry = m.seconds("slipway.certificate.expiry", "How long until a certificate ends; below 0 once it has.")
	c.lifetime = m.seconds("slipway.certificate.lifetime", "How long a certificate is valid in all.")
	c.failures = m.counter("slipway.certificate.reload.failures", "{change}", "Changes of mounted certificates, authorities and revocation lists that could not be used.")
	c.ended = m.counter("slipway.certificate.connections.ended", "{connection}", "Connections that were ended for the age of their certificates.")
	c.late = m.gauge("slipway.certificate.revocation.overdue", "{list}", "Revocation lists whose next update is overdue.")
}

// collect looks at the files, so that what they hold is known while nothing
// connects.
func (c *certified) collect(to metric.Observer, l *link) {
	files, of := l.login.trusted(), l.names()
	if files == nil {
		return
	}
	now, s := time.Now(), files.Status()
	if s.Leaf != nil {
		to.ObserveFloat64(c.expiry, seconds(s.Leaf.NotAfter.Sub(now)), with(of, keyWhich.String("own")))
		to.ObserveFloat64(c.lifetime, seconds(s.Leaf.NotAfter.Sub(s.Leaf.NotBefore)), with(of, keyWhich.String("own")))
	}
	if len(s.Roots) > 0 {
		first := s.Roots[0].NotAfter
		for _, root := range s.Roots {
			if root.NotAfter.Before(first) {
				first = root.NotAfter
			}
		}
		to.ObserveFloat64(c.expiry, seconds(first.Sub(now)), with(of, keyWhich.String("authority")))
	}
	to.ObserveInt64(c.failures, s.Refused, with(of))
	to.ObserveInt64(c.ended, s.Ended, with(of, keyHow.String("quiet")))
	to.ObserveInt64(c.ended, s.Cut, with(of, keyHow.String("cut")))
	overdue := 0
	for _, l := range s.Lists {
		if l.Overdue(now) {
			overdue++
		}
	}
	to.ObserveInt64(c.late, int64(overdue), with(of))
}
