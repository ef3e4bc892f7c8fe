// Package otlp sends metrics and traces to an OpenTelemetry collector, over HTTP
// or gRPC as OTEL_EXPORTER_OTLP_PROTOCOL says.
package otlp
