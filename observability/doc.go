// Package observability shows what watches a service against the programs that
// do the watching: Prometheus with the rules that slipway renders, and a collector
// of OpenTelemetry. It holds tests only, in a module of its own, so that nobody who
// links the SDK or builds the command line ever fetches those programs.
//
// The tests build the programs from their Go modules, once, and keep them in the
// user's cache. They carry the tag kafka, as they belong with what takes minutes.
package observability
