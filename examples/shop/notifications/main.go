// Notifications tells users by mail what concerns them.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/notifications/notice"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, notice.Wire, avro.Codec()) }
