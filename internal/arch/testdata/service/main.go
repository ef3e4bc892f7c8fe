// Command service is the smallest service: one handler of bytes, no codec, no
// database. Its size is what the SDK alone costs.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/slipway-go/slipway"
)

func main() {
	if err := run(); err != nil {
		println(err.Error())
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	env, err := slipway.EnvironmentFrom(os.LookupEnv)
	if err != nil {
		return err
	}
	app, err := slipway.New(slipway.Config{Files: os.DirFS("."), Environment: env})
	if err != nil {
		return err
	}
	slipway.Handle(app, "orders.created.v1", func(context.Context, *slipway.Message[[]byte]) error { return nil })
	return app.Run(ctx)
}
