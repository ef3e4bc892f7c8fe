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

// stamped is the version that the linker was told, as slipway image build does:
// -X github.com/slipway-go/slipway/telemetry.stamped=v1.2.3.
var stamped string

// BuildVersion is the version of the program: what its linker was told, what Go
// noted of its module, or the beginning of the commit it was built from. It is
// empty if none of these is known.
func BuildVersion() string {
	if stamped != "" {
		return stamped
	}
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
