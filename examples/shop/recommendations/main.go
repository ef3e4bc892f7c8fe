// Recommendations knows what else people bought.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/recommendations/taste"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, taste.Wire, avro.Codec()) }
