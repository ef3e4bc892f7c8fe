// Observability has a metric, a span and a log line of its own for each parcel,
// and two ways out for them: /metrics, and a collector if OTEL_… names one.
package main

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/otlp"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter(), otlp.Exporter()}, // what is not named here is not linked
	}.Main()
}

type weighed struct {
	ParcelID string `avro:"parcel_id"`
	Grams    int64  `avro:"grams"`
}

// A scale weighs, and tells of it.
type scale struct {
	weighed *slipway.Producer[weighed]
	weight  metric.Int64Histogram // parcels_weight_grams at /metrics
	tracer  trace.Tracer
	log     *slog.Logger
}

func wire(app *slipway.App) error {
	weight, err := app.MeterProvider().Meter("example.com/scales").Int64Histogram("parcels.weight",
		metric.WithUnit("g"), metric.WithDescription("What parcels weigh."), metric.WithExplicitBucketBoundaries(100, 1000, 10000))
	if err != nil {
		return err
	}
	s := &scale{
		weighed: slipway.NewProducer[weighed](app, "parcels.weighed.v1"),
		weight:  weight, tracer: app.TracerProvider().Tracer("example.com/scales"), log: app.Logger(),
	}
	slipway.Handle(app, "parcels.weighed.v1", s.onWeighed)
	app.Mux().HandleFunc("PUT /parcels/{id}/{grams}", s.put)
	return nil
}

// onWeighed passes ctx to everything: that is what connects the line, the span
// and the measurement with the message, and with each other.
func (s *scale) onWeighed(ctx context.Context, m *slipway.Message[weighed]) error {
	ctx, span := s.tracer.Start(ctx, "price") // a child of process parcels.weighed.v1
	defer span.End()
	class := "letter"
	if m.Value.Grams > 1000 {
		class = "parcel"
	}
	span.SetAttributes(attribute.String("parcel.class", class))
	s.weight.Record(ctx, m.Value.Grams, metric.WithAttributes(attribute.String("class", class))) // a few classes, never ids
	s.log.InfoContext(ctx, "priced", "parcel", m.Value.ParcelID, "class", class)                 // trace_id, topic, offset and more are added
	return nil
}

func (s *scale) put(w http.ResponseWriter, r *http.Request) {
	grams, err := strconv.ParseInt(r.PathValue("grams"), 10, 64)
	if err != nil || grams <= 0 {
		http.Error(w, "want grams above 0", http.StatusBadRequest)
		return
	}
	receipt, err := s.weighed.Send(r.Context(), &weighed{ParcelID: r.PathValue("id"), Grams: grams})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "partition", receipt.Partition, "offset", receipt.Offset)
}
