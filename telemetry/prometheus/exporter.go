package prometheus

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/slipway-go/slipway/telemetry"
)

// The bounds of a scrape: what is beyond is refused with status 503.
const (
	maxScrapes    = 4
	scrapeTimeout = 10 * time.Second
)

// Exporter returns the exporter called prometheus, for the field Exporters of
// serve.Service. Linked, it is where metrics go unless OTEL_METRICS_EXPORTER says
// otherwise.
func Exporter() telemetry.Exporter { return exporter{} }

type exporter struct{}

var _ telemetry.MetricReader = exporter{}

// Name implements [telemetry.Exporter].
func (exporter) Name() string { return "prometheus" }

// SDK implements [telemetry.Exporter].
func (exporter) SDK() telemetry.SDK { return telemetry.OpenTelemetry() }

// Reader implements [telemetry.MetricReader].
func (exporter) Reader(*telemetry.Variables) (sdkmetric.Reader, http.Handler, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, nil, err
		}
	}
	reader, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry),
		otelprometheus.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
		otelprometheus.WithoutScopeInfo(),
	)
	if err != nil {
		return nil, nil, err
	}
	return reader, promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true, // the format that has exemplars
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		Registry:            registry,
		Timeout:             scrapeTimeout,
	}), nil
}
