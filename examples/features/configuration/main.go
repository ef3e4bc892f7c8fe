// Configuration pays refunds up to a limit that is configured, for each
// environment and while the service runs.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

//go:embed slipway.yaml schemas config
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}

type asked struct {
	RefundID string `avro:"refund_id" json:"refund_id"`
	Cents    int64  `avro:"cents" json:"cents"`
	Currency string `avro:"currency" json:"currency"`
}

// A desk pays refunds. Its settings are those that the contract declares: a
// name or a type that differs ends the start.
type desk struct {
	asked      *slipway.Producer[asked]
	limit      *slipway.Setting[int64]
	currencies *slipway.Setting[[]string]
}

func wire(app *slipway.App) error {
	d := &desk{
		asked:      slipway.NewProducer[asked](app, "refunds.asked.v1"),
		limit:      slipway.NewSetting[int64](app, "refund.limit"),
		currencies: slipway.NewSetting[[]string](app, "refund.currencies"),
	}
	d.limit.OnChange(func(cents int64) { app.Logger().Info("refunds have another limit", "cents", cents) })
	slipway.Handle(app, "refunds.asked.v1", d.onAsked)
	app.Mux().HandleFunc("POST /refunds", d.ask)
	app.Mux().HandleFunc("GET /limit", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, d.limit.Get()) })
	return nil
}

// onAsked asks for the limit of now, not for that of the start. Refunds above it
// are dead letters, which a person looks at.
func (d *desk) onAsked(ctx context.Context, m *slipway.Message[asked]) error {
	if limit := d.limit.Get(); m.Value.Cents > limit {
		return slipway.Reject(fmt.Errorf("%d cents are above the limit of %d", m.Value.Cents, limit))
	}
	if !slices.Contains(d.currencies.Get(), m.Value.Currency) {
		return slipway.Reject(fmt.Errorf("currency %q is not one of %q", m.Value.Currency, d.currencies.Get()))
	}
	slog.DebugContext(ctx, "paid", "cents", m.Value.Cents) // shown where log.level is debug
	return nil
}

func (d *desk) ask(w http.ResponseWriter, r *http.Request) {
	var a asked
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || a.RefundID == "" {
		http.Error(w, `want {"refund_id": "r-1", "cents": 1250, "currency": "eur"}`, http.StatusBadRequest)
		return
	}
	if _, err := d.asked.Send(r.Context(), &a); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
