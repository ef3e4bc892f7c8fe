package serve

import (
	"context"
	"log/slog"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/telemetry"
)

// observe sets up what the service tells of itself: logs as the configuration
// says, metrics and traces as the OTEL_… variables do.
func (p process) observe(conf *configuration) (*telemetry.Telemetry, error) {
	svc, faults := contract.Parse(p.Files, contractFile)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	t, err := telemetry.Setup(context.Background(), telemetry.Config{
		Service: svc.Name, Environment: conf.env.Name, Lookup: p.lookup, Exporters: p.Exporters,
		Output: p.stderr, Level: conf.level, Format: conf.values.Text("log.format"),
	})
	if err == nil && p.installs {
		t.Install()
	}
	return t, err
}

// announce logs what has been started, in one line.
func announce(app *slipway.App, t *telemetry.Telemetry) {
	app.Logger().Info("service starts", "version", t.Version(), "environment", app.Environment().Name,
		"contract", app.Contract().Hash()[:12], "telemetry", t.Destinations())
}

// farewellTelemetry is what telemetry gets to send the last of it, if the drain has
// left no time.
const farewellTelemetry = time.Second

// unobserve sends what the service has told and not sent yet. Time that the drain
// did not need is telemetry's, up to a bound of its own.
func unobserve(t *telemetry.Telemetry, left time.Duration, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), max(left, farewellTelemetry))
	defer cancel()
	if err := t.Shutdown(ctx); err != nil {
		log.Warn("telemetry ended", "error", err)
	}
}
