// Inventory reserves stock for orders, and never more than there is.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/inventory/stock"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, stock.Wire, avro.Codec()) }
