// Producing writes values one by one and many at a time, deletes a key, and
// tells its callers what an error means for them.
package main

import (
	"embed"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/serve"
	"github.com/slipway-go/slipway/telemetry"
	"github.com/slipway-go/slipway/telemetry/prometheus"
)

//go:embed slipway.yaml schemas
var files embed.FS

func main() {
	serve.Service{
		Files: files, Wire: wire, Codecs: []schema.Codec{avro.Codec()},
		Exporters: []telemetry.Exporter{prometheus.Exporter()},
	}.Main()
}

// A price is what the topic holds for a SKU.
type price struct {
	SKU   string `avro:"sku" json:"sku"`
	Minor int64  `avro:"minor" json:"minor"`
	Note  string `avro:"note" json:"note"`
}

type board struct{ current *slipway.Producer[price] }

func wire(app *slipway.App) error {
	b := board{slipway.NewProducer[price](app, "prices.current.v1")}
	app.Mux().HandleFunc("PUT /prices/{sku}", b.put)
	app.Mux().HandleFunc("POST /prices", b.putAll)
	app.Mux().HandleFunc("DELETE /prices/{sku}", b.remove)
	return nil
}

// put waits for the acknowledgement. A caller that repeats its request gives
// both the same Idempotency-Key, and readers with an inbox see one event.
func (b board) put(w http.ResponseWriter, r *http.Request) {
	p := price{SKU: r.PathValue("sku")}
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil || p.SKU != r.PathValue("sku") {
		http.Error(w, "want a price such as {\"minor\": 1250}", http.StatusBadRequest)
		return
	}
	var opts []slipway.SendOption
	if id := r.Header.Get("Idempotency-Key"); id != "" {
		opts = append(opts, slipway.WithID(id))
	}
	receipt, err := b.current.Send(r.Context(), &p, opts...)
	answer(w, receipt, err)
}

// putAll sends a list without waiting for each, and answers when all are told.
func (b board) putAll(w http.ResponseWriter, r *http.Request) {
	var list []price
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil {
		http.Error(w, "want a list of prices", http.StatusBadRequest)
		return
	}
	told := make(chan error, len(list)) // with room for all, so that no callback blocks
	for i := range list {
		b.current.SendAsync(r.Context(), &list[i], func(_ slipway.Receipt, err error) { told <- err })
	}
	var errs []error
	for range list {
		errs = append(errs, <-told)
	}
	answer(w, map[string]int{"prices": len(list)}, errors.Join(errs...))
}

// remove writes a tombstone: compaction forgets the SKU.
func (b board) remove(w http.ResponseWriter, r *http.Request) {
	receipt, err := b.current.Delete(r.Context(), r.PathValue("sku"))
	answer(w, receipt, err)
}

func answer(w http.ResponseWriter, body any, err error) {
	if err != nil {
		http.Error(w, err.Error(), status(err))
		return
	}
	_ = json.NewEncoder(w).Encode(body) // the caller may have gone
}

// status says what a caller should do. What may be written comes first: where
// one of many is in doubt, all have to be sent again, with their ids.
func status(err error) int {
	switch {
	case errors.Is(err, slipway.ErrUnacknowledged):
		return http.StatusGatewayTimeout // perhaps written: again, with the same id
	case errors.Is(err, slipway.ErrAway), errors.Is(err, slipway.ErrDeliveryTimeout):
		return http.StatusServiceUnavailable // not written: again, later
	case errors.Is(err, slipway.ErrTooLarge):
		return http.StatusRequestEntityTooLarge // never again
	}
	return http.StatusInternalServerError
}
