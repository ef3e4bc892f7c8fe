// Protobuf sends and reads messages of a .proto file that imports another one.
// The package gen is what go generate makes of the contract.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/proto"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"

	"example.com/features/protobuf/gen"
)

//go:generate go run -C ../../.. ./cmd/slipway schema gen examples/features/protobuf --out examples/features/protobuf/gen

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{proto.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}

// A desk sends parcels, and knows which have left.
type desk struct {
	gen.Producers
	left sync.Map // parcel id → *gen.ParcelSent
}

func wire(app *slipway.App) error {
	d := &desk{Producers: gen.NewProducers(app)}
	gen.Mount(app, d)
	app.Mux().HandleFunc("POST /parcels/{id}", d.send)
	app.Mux().HandleFunc("GET /parcels/{id}", d.show)
	return nil
}

// send takes a ParcelSent in Protobuf's JSON, without its id and time.
func (d *desk) send(w http.ResponseWriter, r *http.Request) {
	sent := new(gen.ParcelSent)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4096))
	if err == nil {
		err = protojson.Unmarshal(body, sent)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sent.ParcelId, sent.SentAt = r.PathValue("id"), timestamppb.Now()
	if _, err := d.ParcelsSent.Send(r.Context(), sent); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// OnParcelsSent notes what has left. A Protobuf message must not be copied, so
// it takes the value's address.
func (d *desk) OnParcelsSent(_ context.Context, m *slipway.Message[gen.ParcelSent]) error {
	d.left.Store(m.Value.GetParcelId(), &m.Value)
	return nil
}

func (d *desk) show(w http.ResponseWriter, r *http.Request) {
	sent, ok := d.left.Load(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	text, err := protojson.Marshal(sent.(*gen.ParcelSent))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(json.RawMessage(text)) // the caller may have gone
}
