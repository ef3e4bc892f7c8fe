// Webhooks tells other people's servers how orders ended.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/webhooks/hook"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, hook.Wire, avro.Codec()) }
