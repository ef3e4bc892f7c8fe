// Payments confirms or declines the payment of orders whose stock is reserved.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/payments/payment"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, payment.Wire, avro.Codec()) }
