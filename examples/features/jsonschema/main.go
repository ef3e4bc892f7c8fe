// Jsonschema writes and reads JSON that is held to a JSON Schema, at both ends
// and to the last pattern.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/jsonvalue"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{jsonvalue.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}

// A moved customer, as schemas/moved.json has it. What is not required there
// has omitempty here; the start of the service would say if it had not.
type moved struct {
	CustomerID string  `json:"customer_id"`
	To         address `json:"to"`
	Since      string  `json:"since,omitempty"`
}

type address struct {
	Street   string `json:"street"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"`
}

// A register knows where customers live.
type register struct {
	moved *slipway.Producer[moved]
	lives sync.Map // customer id → address
}

func wire(app *slipway.App) error {
	r := &register{moved: slipway.NewProducer[moved](app, "customers.moved.v1")}
	slipway.Handle(app, "customers.moved.v1", r.onMoved)
	app.Mux().HandleFunc("PUT /customers/{id}/address", r.put)
	app.Mux().HandleFunc("GET /customers/{id}/address", r.get)
	return nil
}

func (r *register) onMoved(_ context.Context, m *slipway.Message[moved]) error {
	r.lives.Store(m.Value.CustomerID, m.Value.To)
	return nil
}

// put leaves it to the schema what an address is.
func (r *register) put(w http.ResponseWriter, req *http.Request) {
	event := moved{CustomerID: req.PathValue("id")}
	if err := json.NewDecoder(req.Body).Decode(&event.To); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := r.moved.Send(req.Context(), &event); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (r *register) get(w http.ResponseWriter, req *http.Request) {
	a, ok := r.lives.Load(req.PathValue("id"))
	if !ok {
		http.NotFound(w, req)
		return
	}
	_ = json.NewEncoder(w).Encode(a) // the caller may have gone
}
