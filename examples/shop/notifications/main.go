// Notifications tells users by mail what concerns them.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/otlp"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/shop/notifications/notice"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: notice.Wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{otlp.Exporter(), prometheus.Exporter()},
	}.Main()
}
