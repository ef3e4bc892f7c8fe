// Command collector is a collector of OpenTelemetry with which the telemetry of a
// service is tried: the real receiver and batch processor, and an exporter that
// writes a line for each span and metric. Its arguments are the addresses to listen
// on, for HTTP and for gRPC. It ends when its standard input does.
//
// It is a module of its own, so that what a collector needs is never mixed with
// what the SDK needs, and a program of its own, since the two want different
// versions of the same modules.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

const pipelines = `
receivers: {otlp: {protocols: {http: {endpoint: %q}, grpc: {endpoint: %q}}}}
processors: {batch: {timeout: 50ms}}
exporters: {lines: {}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [lines]}
    metrics: {receivers: [otlp], processors: [batch], exporters: [lines]}
`

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(overHTTP, overGRPC string) error {
	c, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo: component.NewDefaultBuildInfo(), Factories: factories, DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{"yaml:" + fmt.Sprintf(pipelines, overHTTP, overGRPC)},
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
	})
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		c.Shutdown()
	}()
	return c.Run(context.Background())
}

func factories() (f otelcol.Factories, err error) {
	if f.Receivers, err = receiver.MakeFactoryMap(otlpreceiver.NewFactory()); err != nil {
		return f, err
	}
	if f.Processors, err = processor.MakeFactoryMap(batchprocessor.NewFactory()); err != nil {
		return f, err
	}
	f.Exporters, err = exporter.MakeFactoryMap(lines())
	return f, err
}

// still is a component that needs no start and no end.
type still struct {
	component.StartFunc
	component.ShutdownFunc
}

// lines is an exporter that writes what came, and from whom.
func lines() exporter.Factory {
	return exporter.NewFactory(component.MustNewType("lines"), func() component.Config { return new(struct{}) },
		exporter.WithTraces(func(context.Context, exporter.Settings, component.Config) (exporter.Traces, error) {
			next, err := consumer.NewTraces(spans)
			return struct {
				still
				consumer.Traces
			}{Traces: next}, err
		}, component.StabilityLevelDevelopment),
		exporter.WithMetrics(func(context.Context, exporter.Settings, component.Config) (exporter.Metrics, error) {
			next, err := consumer.NewMetrics(metrics)
			return struct {
				still
				consumer.Metrics
			}{Metrics: next}, err
		}, component.StabilityLevelDevelopment))
}

func spans(_ context.Context, all ptrace.Traces) error {
	for i := range all.ResourceSpans().Len() {
		r := all.ResourceSpans().At(i)
		for i := range r.ScopeSpans().Len() {
			for j, some := 0, r.ScopeSpans().At(i).Spans(); j < some.Len(); j++ {
				fmt.Println("span", some.At(j).Name(), some.At(j).TraceID(), service(r.Resource()))
			}
		}
	}
	return nil
}

func metrics(_ context.Context, all pmetric.Metrics) error {
	for i := range all.ResourceMetrics().Len() {
		r := all.ResourceMetrics().At(i)
		for i := range r.ScopeMetrics().Len() {
			for j, some := 0, r.ScopeMetrics().At(i).Metrics(); j < some.Len(); j++ {
				fmt.Println("metric", some.At(j).Name(), service(r.Resource()))
			}
		}
	}
	return nil
}

// service is who a resource is.
func service(r pcommon.Resource) string {
	text := ""
	for _, name := range []string{"service.name", "service.version", "deployment.environment.name"} {
		v, _ := r.Attributes().Get(name)
		text += " " + v.AsString()
	}
	return text[1:]
}
