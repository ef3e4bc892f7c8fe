package arm

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing/fstest"

	slipway "github.com/slipway-go/slipway"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

// manifest is a contract as a user writes it. The principal is the broker's
// one user; everything else that is not named is the default.
const manifest = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s, owner: team-bench}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  %[2]s: {partitions: 6, key: none}
consumes:
  %[2]s: {order: %[3]s, concurrency: %[4]d, retry: %[5]s}
`

// stopAfterRetry needs no further topic: the handlers of these arms succeed.
const stopAfterRetry = "{then: stop}"

// environment is what slipway up or a manifest would set.
func environment(e broker.Endpoint) slipway.Environment {
	return slipway.Environment{Name: "dev", BootstrapServers: e.Bootstrap, CAFile: e.CAFile, PasswordFile: e.PasswordFile}
}

func newApp(e broker.Endpoint, instance, text string) (*slipway.App, error) {
	return slipway.New(config(e, instance, text))
}

func config(e broker.Endpoint, instance, text string) slipway.Config {
	return slipway.Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(text)}},
		Environment: environment(e), Instance: instance,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
}

func slipwayLoop(ctx context.Context, j Job) error {
	return slipwayMember(ctx, j, j.Group)
}

// slipwayMember runs one of several instances.
func slipwayMember(ctx context.Context, j Job, instance string) error {
	text := fmt.Sprintf(manifest, j.Group, j.Topic, cmp.Or(j.Order, "key"), j.InFlight, cmp.Or(j.Retry, stopAfterRetry))
	cfg := config(j.Endpoint, instance, text)
	end, err := j.Telemetry.begin(ctx, &cfg)
	if err != nil {
		return err
	}
	defer end()
	app, err := slipway.New(cfg)
	if err != nil {
		return err
	}
	slipway.Handle(app, j.Topic, func(_ context.Context, m *slipway.Message[[]byte]) error {
		return j.Handle(Record{m.Partition, m.Offset, m.Value})
	})
	return app.Run(ctx)
}
