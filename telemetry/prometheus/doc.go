// Package prometheus exposes a service's metrics at /metrics, for Prometheus to
// scrape: those of the SDK and the service, the Go runtime's and the process's,
// with exemplars that lead to traces.
package prometheus
