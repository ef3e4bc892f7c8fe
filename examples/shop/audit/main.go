// Audit keeps a record of everything that the shop's services said.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/audit/trail"
)

//go:embed slipway.yaml
var files embed.FS

func main() { serve.Main(files, trail.Wire, avro.Codec()) }
