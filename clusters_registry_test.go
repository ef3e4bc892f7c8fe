package slipway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A parcel is what the other cluster's topic holds. Its schema has the id that
// the schema of orders has in the default cluster's registry: ids are of one
// registry.
type parcel struct {
	Label  string `avro:"label"`
	Weight int64  `avro:"weight"`
}

const (
	parcels      = "parcels.packed.v1"
	labels       = "labels.printed.v1"
	parcelSchema = `{"type": "record", "name": "Parcel", "fields": [{"name": "label", "type": "string"}, {"name": "weight", "type": "long"}]}`
)

func TestEachClusterHasItsRegistry(t *testing.T) {
	t.Parallel()
	text := `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: packer, owner: team-logistics}
topics:
  ` + labels + `: {cluster: analytics, key: label, schema: {format: avro, file: parcel.avsc}}
produces:
  ` + labels + `: {cluster: analytics}
consumes:
  ` + orders + `: {order: key, schema: {format: avro, file: order.avsc}}
  ` + parcels + `: {order: key, cluster: analytics, schema: {format: avro, file: parcel.avsc}}
`
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(text)}, "order.avsc": {Data: []byte(orderSchema)}, "parcel.avsc": {Data: []byte(parcelSchema)}}
	var got []string
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[parcel](app, labels)
		slipway.Handle(app, orders, func(ctx context.Context, m *slipway.Message[order]) error {
			_, err := out.Send(ctx, &parcel{"of " + m.Value.OrderID, m.Value.Amount})
			return err
		})
		slipway.Handle(app, parcels, func(_ context.Context, m *slipway.Message[parcel]) error {
			got = append(got, fmt.Sprint(m.Value))
			return nil
		})
		return nil
	}
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		k.On(analytics).CutRegistry(true)
		k.Send(orders, order{"o-1", 5})
		k.On(analytics).RequireProduced(labels, 1) // its id is known since the start
		k.On(analytics).Send(parcels, parcel{"p-1", 7}, slipwaytest.Key("p"))
		k.Advance(5 * time.Second)
		if len(got) != 0 {
			t.Errorf("%v was read with the other cluster's registry", got)
		}
		h := k.Health("packer")
		var said []string
		for _, c := range h.Checks {
			if strings.Contains(c.Name, "schema registry") {
				said = append(said, c.Name)
			}
		}
		if len(said) != 1 || said[0] != "schema registry on analytics" {
			t.Errorf("checks of registries that fail or warn: %q, want that of analytics", said)
		}
		k.On(analytics).CutRegistry(false)
		k.Advance(30 * time.Second)
		if want := fmt.Sprint(parcel{"p-1", 7}); len(got) != 1 || got[0] != want {
			t.Errorf("handled %v, want [%s]", got, want)
		}
		if all := slipwaytest.Values[parcel](k.On(analytics), labels); len(all) != 1 || all[0] != (parcel{"of o-1", 5}) {
			t.Errorf("labels %+v, want that of o-1", all)
		}
	})
}
