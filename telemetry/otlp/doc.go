// Package otlp sends metrics and traces to an OpenTelemetry collector, over HTTP
// or gRPC as OTEL_EXPORTER_OTLP_PROTOCOL says.
//
// It reads the OTEL_EXPORTER_OTLP_… variables itself, so that what is wrong with
// them is told at the start and by name. Headers, which often hold a token, are in
// no message: what a collector says about a failed export is searched for them.
// Connections are made by Slipway's own rules for TLS, and an HTTP redirect is not
// followed, since it would carry the headers to somebody else. A client certificate
// is read anew for every connection; authorities are read once.
package otlp
