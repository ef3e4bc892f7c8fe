// Generated charges rides, with types, handlers and producers that are made of
// its contract: see gen, which nobody edits.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"net/http"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/jsonvalue"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/features/generated/gen"
)

// In a repository of your own: slipway schema gen . --out gen
//
//go:generate go run -C ../../.. ./cmd/slipway schema gen examples/features/generated --out examples/features/generated/gen

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{avro.Codec(), jsonvalue.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}

type cashier struct {
	gen.Unimplemented // compiles when the contract gains an entry
	out               gen.Producers
}

func wire(app *slipway.App) error {
	c := &cashier{out: gen.NewProducers(app)}
	gen.Mount(app, c)
	app.Mux().HandleFunc("POST /rentals/{id}", c.end)
	return nil
}

// OnRentalsEnded charges a ride by the minute.
func (c *cashier) OnRentalsEnded(ctx context.Context, m *slipway.Message[gen.RentalEnded]) error {
	ride := m.Value
	minute := int64(10)
	switch {
	case ride.Voucher != nil:
		minute = 0
	case ride.Kind == gen.KindCargo:
		minute = 25
	}
	_, err := c.out.RentalsCharged.Send(ctx, &gen.RentalCharged{
		RentalID: ride.RentalID,
		Minor:    minute * int64(ride.Until.Sub(ride.From).Minutes()),
		Voucher:  ride.Voucher,
	}, slipway.WithID("charge-"+ride.RentalID)) // the same id if it is handled again
	return err
}

// end takes a bicycle back: {"bicycle": "b-1", "kind": "CITY", "minutes": 30}.
func (c *cashier) end(w http.ResponseWriter, r *http.Request) {
	var ride struct {
		Bicycle, Voucher string
		Kind             gen.Kind
		Minutes          int64
	}
	if err := json.NewDecoder(r.Body).Decode(&ride); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	ended := gen.RentalEnded{
		RentalID: r.PathValue("id"), Bicycle: ride.Bicycle, Kind: ride.Kind,
		From: now.Add(-time.Duration(ride.Minutes) * time.Minute), Until: now,
	}
	if ride.Voucher != "" {
		ended.Voucher = &ride.Voucher
	}
	if _, err := c.out.RentalsEnded.Send(r.Context(), &ended); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
