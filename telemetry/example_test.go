package telemetry_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/telemetry"
)

// A service made by package serve has all of this already; a program of its own
// does it once.
func ExampleSetup() {
	t, err := telemetry.Setup(context.Background(), telemetry.Config{
		Service: "orders", Environment: "prod",
		Lookup: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Shutdown(context.Background())
	fmt.Println("telemetry goes", t.Destinations())
	// Output: telemetry goes nowhere
}

// The handler says which message a line is about, and masks what is secret.
func ExampleHandler() {
	text := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	log := slog.New(telemetry.Handler(text))
	ctx := slipway.WithDelivery(context.Background(), slipway.Delivery{Topic: "orders.created.v1", Partition: 2, Offset: 17})
	log.InfoContext(ctx, "reserved", "token", "abc")
	// Output: level=INFO msg=reserved token=*** topic=orders.created.v1 partition=2 offset=17
}
