// Audit keeps a record of everything that the shop's services said.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/otlp"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/shop/audit/trail"
)

//go:embed slipway.yaml
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: trail.Wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{otlp.Exporter(), prometheus.Exporter()},
	}.Main()
}
