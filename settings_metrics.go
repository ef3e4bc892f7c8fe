package slipway

import "go.opentelemetry.io/otel/metric"

// reconfigured are the instruments of the configuration.
type reconfigured struct {
	reloads, rejected, pending metric.Int64Observable
}

func (r *reconfigured) make(m *maker) {
	r.reloads = m.counter("slipway.config.reloads", "{change}", "Changes of the configuration while the service ran, by whether they were applied or rejected.")
	r.rejected = m.gauge("slipway.config.rejected", "{configuration}", "1 while the configuration that is there now is refused, and the service goes on with the one before.")
	r.pending = m.gauge("slipway.config.pending", "{setting}", "Settings that wait for a restart.")
}

func (r *reconfigured) collect(to metric.Observer, a *App) {
	now := a.Configuration()
	to.ObserveInt64(r.reloads, a.settings.applied.Load(), with(nil, keyResult.String("applied")))
	to.ObserveInt64(r.reloads, a.settings.rejected.Load(), with(nil, keyResult.String("rejected")))
	to.ObserveInt64(r.rejected, number(now.Rejected != nil))
	to.ObserveInt64(r.pending, int64(len(now.Pending)))
}
