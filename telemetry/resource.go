package telemetry

import (
	"runtime/debug"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// resource is what all telemetry of the process has in common.
// OTEL_RESOURCE_ATTRIBUTES overrides what the service says of itself, and
// OTEL_SERVICE_NAME both.
func (s *setup) resource() *resource.Resource {
	attributes := []attribute.KeyValue{
		semconv.ServiceName(s.Service), semconv.ServiceVersion(s.Version),
		semconv.DeploymentEnvironmentNameKey.String(s.Environment), semconv.ServiceInstanceID(s.Instance),
		semconv.TelemetrySDKName("opentelemetry"), semconv.TelemetrySDKLanguageGo,
	}
	attributes = slices.DeleteFunc(attributes, func(kv attribute.KeyValue) bool { return kv.Value.AsString() == "" })
	for key, value := range s.v.Pairs("OTEL_RESOURCE_ATTRIBUTES") {
		attributes = append(attributes, attribute.String(key, value))
	}
	if name := s.v.Text("OTEL_SERVICE_NAME"); name != "" {
		attributes = append(attributes, semconv.ServiceName(name))
	}
	return resource.NewWithAttributes(semconv.SchemaURL, attributes...) // the last one of a name counts
}

// builtFrom is the version of the program, or the beginning of the commit it
// was built from, or "".
func builtFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}
