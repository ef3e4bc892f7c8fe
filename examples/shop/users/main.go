// Users signs up the shop's users and tells who came.
package main

import (
	"embed"

	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"

	"example.com/shop/users/user"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() { serve.Main(files, user.Wire, avro.Codec()) }
