// Package telemetry sets up what a service tells of itself: metrics, traces and
// logs, from the standard variables of OpenTelemetry.
//
// The SDK measures and traces on the OpenTelemetry API and knows nothing of where
// that goes. [Setup] makes the providers behind it: resource, sampler, batches,
// propagators and the exporters that OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER
// name. An exporter is linked by importing its package (telemetry/prometheus,
// telemetry/otlp), so that nobody carries one unasked; naming one that is not linked
// is an error at start that names the import. OpenTelemetry's SDK comes with the
// first of them. A variable that cannot be used is an error too, and all of them are
// told at once.
//
// # What it costs
//
// Nothing here may slow a service down or stop it. Spans wait in a queue of
// OTEL_BSP_MAX_QUEUE_SIZE; what does not fit is dropped and counted, and whoever
// ended the span has not waited. A collector that is away, refuses or never answers
// costs memory up to that bound and no time: exports happen elsewhere, end after
// their timeout, and are told once when they begin to fail and once when they
// succeed again. An instrument keeps at most 2,000 sets of labels; what is beyond
// shares one that says so. [Telemetry.Shutdown] ends after five seconds at most,
// whatever the collector does.
//
// Without anything set, metrics are there to be scraped if telemetry/prometheus is
// linked, nothing is traced, and nothing is sent anywhere. With an OTLP endpoint,
// one trace in twenty is recorded unless whoever called has decided already.
//
// # Logs
//
// Logs are slog, on stderr. The handler adds to a record what its context knows
// (trace and span, topic, partition, offset, a hash of the key) and masks what must
// not be read: attributes named for a secret, and the user part of URLs. A value of
// a type with a LogValue method speaks for itself.
//
// The hash of a key is keyed: without LOG_KEY_HASH_PATH with a key of this process
// only, so that nobody finds out which customer is meant by hashing all of them.
package telemetry
