// Minimal is the smallest service there is: a contract with one consumed topic, a
// handler, and health probes. What a program weighs at least is measured of it.
package main

import (
	"context"
	"embed"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/serve"
)

//go:embed slipway.yaml
var files embed.FS

func main() { serve.Main(files, wire) }

func wire(app *slipway.App) error {
	slipway.Handle(app, "orders.created.v1", func(context.Context, *slipway.Message[[]byte]) error { return nil })
	return nil
}
