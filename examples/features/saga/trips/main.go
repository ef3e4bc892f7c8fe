// Trips books trips: a flight, a hotel and a charge, or nothing of it.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/features/saga/trips/trip"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: trip.Wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}
