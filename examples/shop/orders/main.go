// Orders takes orders over HTTP and follows each to its final state.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/orders/order"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, order.Wire, avro.Codec()) }
