// Agency carries out what trips asks for.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/features/saga/agency/desk"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, desk.Wire, avro.Codec()) }
