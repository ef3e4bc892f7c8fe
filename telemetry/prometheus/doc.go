// Package prometheus exposes a service's metrics at /metrics, for Prometheus to
// scrape: those of the SDK and the service, the Go runtime's and the process's,
// with exemplars that lead to traces.
//
// Names are as docs/reference/metrics.md has them: OpenTelemetry's with underscores
// for dots, units spelled out, _total behind counters. Which service, version and
// instance it is stands once, in target_info; scopes are not labels.
//
// Everything is in a registry of its own: what a program registers with
// client_golang's default one is not in it.
package prometheus
