package diag

// Metrics, traces and logs of a service: SLP-TEL.
const (
	TelemetryVariable Code = "SLP-TEL-001"
	TelemetryUnlinked Code = "SLP-TEL-002"
	TelemetrySignal   Code = "SLP-TEL-003"
	TelemetryExporter Code = "SLP-TEL-004"
	TelemetryAway     Code = "SLP-TEL-010"
	TelemetryNowhere  Code = "SLP-TEL-011"
)

var telemetryEntries = []Entry{
	{TelemetryVariable, "a variable of telemetry cannot be used", "One of the OTEL_… or LOG_… variables has a value that does not exist, is no number or is out of bounds. What the service would tell of itself would not be what was asked for, and nobody would notice.", "Correct the variable that the message names, or unset it for its default. docs/telemetry.md lists them all."},
	{TelemetryUnlinked, "an exporter is not linked", "OTEL_TRACES_EXPORTER or OTEL_METRICS_EXPORTER names an exporter that is not part of the program. Exporters are linked by choice, since each adds megabytes.", "Import its package in main (github.com/slipway-go/slipway/telemetry/otlp or …/telemetry/prometheus) and put its Exporter() into the field Exporters of serve.Service; or name another exporter, or none."},
	{TelemetrySignal, "an exporter does not do that", "OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER or OTEL_LOGS_EXPORTER names an exporter that nobody knows, or one that cannot carry this signal: Prometheus takes no traces, and logs go to stderr, from where the collector takes them.", "Use otlp, console or none for traces; otlp, prometheus, console or none for metrics; none for logs."},
	{TelemetryExporter, "an exporter cannot be made", "What the exporter needs at the start is not there or cannot be used: a file with certificates, an endpoint that is no URL.", "See the message. Whether the collector is reachable does not matter at the start."},
	{TelemetryAway, "telemetry does not arrive", "The collector is away, refuses or does not answer in time. The service goes on; spans that find no room in the queue, or that could not be sent, are dropped and counted in slipway_telemetry_dropped_total.", "Look at the collector and at OTEL_EXPORTER_OTLP_ENDPOINT. It is told again when telemetry arrives."},
	{TelemetryNowhere, "an endpoint is set and nothing sends there", "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the program has not linked the exporter that would use it. Nothing is sent.", "Import github.com/slipway-go/slipway/telemetry/otlp in main and put otlp.Exporter() into the field Exporters of serve.Service; or unset the variable."},
}
