// Away takes readings whether Kafka is there or not, and has each meter's next
// reading announced at its time.
package main

import (
	"embed"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

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

type reading struct {
	MeterID string `avro:"meter_id"`
	KWh     int64  `avro:"kwh"`
}

type due struct {
	MeterID string `avro:"meter_id"`
}

type office struct {
	read *slipway.Producer[reading]
	due  *slipway.Producer[due]
}

func wire(app *slipway.App) error {
	o := office{
		read: slipway.NewProducer[reading](app, "meters.read.v1"),
		due:  slipway.NewProducer[due](app, "meters.due.v1"),
	}
	app.Mux().HandleFunc("POST /meters/{id}/{kwh}", o.take)
	return nil
}

// take takes a reading, and with ?next=30s says when the next one is due.
func (o office) take(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	kwh, err := strconv.ParseInt(r.PathValue("kwh"), 10, 64)
	if err != nil {
		http.Error(w, "the reading is no number", http.StatusBadRequest)
		return
	}
	next := 24 * time.Hour
	if text := r.FormValue("next"); text != "" {
		if next, err = time.ParseDuration(text); err != nil {
			http.Error(w, "next is no duration, such as 30s", http.StatusBadRequest)
			return
		}
	}
	receipt, err := o.read.Send(r.Context(), &reading{id, kwh})
	if err == nil {
		_, err = o.due.SendAt(r.Context(), time.Now().Add(next), &due{id})
	}
	switch {
	case errors.Is(err, slipway.ErrSpillFull): // back-pressure: the disk has taken what the contract allows
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case receipt.Offset < 0:
		fmt.Fprintln(w, "accepted on disk")
	default:
		fmt.Fprintf(w, "written to partition %d at offset %d\n", receipt.Partition, receipt.Offset)
	}
}
