// Package telemetry sets up what a service tells of itself: metrics, traces and
// logs, from the standard variables of OpenTelemetry.
//
// The SDK measures and traces on the OpenTelemetry API and knows nothing of where
// that goes. [Setup] makes the providers behind it: resource, sampler, batches,
// propagators and the exporters that OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER
// name. An exporter is linked by importing its package (telemetry/prometheus,
// telemetry/otlp), so that nobody carries one unasked; naming one that is not linked
// is an error at start that names the import.
//
// Nothing here may slow a service down or stop it: queues are bounded and drop,
// counted; a collector that is away costs memory up to that bound and no time; the
// shutdown has a deadline.
//
// Logs are slog. The handler adds to a record what its context knows (trace and
// span, topic, partition, offset, a hash of the key) and masks values whose type
// says that they are secret.
package telemetry
