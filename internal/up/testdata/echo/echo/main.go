// Echo hears what it says.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/serve"
)

//go:embed slipway.yaml
var files embed.FS

const words = 20

func main() { serve.Main(files, wire) }

func wire(app *slipway.App) error {
	said := slipway.NewProducer[[]byte](app, "echo.said.v1")
	slipway.Handle(app, "echo.said.v1", func(_ context.Context, m *slipway.Message[[]byte]) error {
		fmt.Printf("heard %s\n", m.Value)
		if string(m.Value) == "word 7" {
			return slipway.Reject(errors.New("an unlucky word"))
		}
		return nil
	})
	slipway.Handle(app, "legacy.heard.v1", func(context.Context, *slipway.Message[[]byte]) error { return nil })
	app.Go("say", func(ctx context.Context) error {
		for i := range words {
			word := fmt.Appendf(nil, "word %d", i)
			if _, err := said.Send(ctx, &word); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}
