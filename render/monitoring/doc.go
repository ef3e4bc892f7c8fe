// Package monitoring derives what watches a service from its contract: rules and
// alerts for Prometheus, with tests of their own, and dashboards for Grafana.
//
// An alert names the service, its owner, the cause as far as the metric knows it,
// and its runbook. Objectives (slo in the contract) become alerts on the rate at
// which the error budget burns, over several windows: fast enough to page before
// the budget is gone, slow enough not to page for a blip. A service gets the alerts
// that it can raise: none about an outbox where it has none.
//
// # Whose a series is
//
// What a service exports does not name it: the same binary runs in every
// environment. Whoever scrapes knows which service and environment a target is, and
// says so by the labels service and environment; every rule and every panel
// selects by them. What the lag exporter tells comes from elsewhere, and is
// selected by consumer_group, which begins with the service's identity.
//
// # Counters that begin late
//
// A counter has no series before it counts, so the first failure of a kind makes a
// series that begins with 1, and increase sees nothing. The rules count such a
// series with all it has.
package monitoring
