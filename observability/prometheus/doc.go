// Package prometheus pins the Prometheus that the tests of observability run:
// the server and promtool, as tools of this module. It has no code. The module is
// its own so that what Prometheus needs is never mixed with what the SDK needs.
package prometheus
