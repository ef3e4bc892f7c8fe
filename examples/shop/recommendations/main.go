// Recommendations knows what else people bought.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/otlp"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/shop/recommendations/taste"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: taste.Wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{otlp.Exporter(), prometheus.Exporter()},
	}.Main()
}
