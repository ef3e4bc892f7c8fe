package slipway_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A contract whose values are JSON, and whose service reads its own topic.
const clicks = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: clicks, owner: team-web}
identity: {auth: scram-sha-512}
topics:
  web.clicked.v1:
    key: {field: user, format: int64}
    partitions: 2
    schema: {format: json, file: click.json}
produces:
  web.clicked.v1: {via: direct}
consumes:
  web.clicked.v1: {}
`

const clickSchema = `{
	"type": "object",
	"properties": {"user": {"type": "integer"}, "page": {"type": "string"}},
	"required": ["user", "page"]
}`

type click struct {
	User int64  `json:"user"`
	Page string `json:"page"`
}

func TestJSONValuesGoThroughTheRegistryAndCarryTheirKey(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []click
	var send func(context.Context, click) error
	wire := func(app *slipway.App) error {
		out := slipway.NewProducer[click](app, "web.clicked.v1")
		send = func(ctx context.Context, c click) error {
			_, err := out.Send(ctx, &c)
			return err
		}
		slipway.Handle(app, "web.clicked.v1", func(_ context.Context, m *slipway.Message[click]) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, m.Value)
			return nil
		})
		return nil
	}
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(clicks)}, "click.json": {Data: []byte(clickSchema)}}
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		want := []click{{7, "/"}, {7, "/cart"}, {7, "/pay"}}
		for _, c := range want {
			if err := send(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		k.RequireProduced("web.clicked.v1", 3)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
		for _, r := range k.Records("web.clicked.v1") {
			if want := []byte{0, 0, 0, 0, 0, 0, 0, 7}; !slices.Equal(r.Key, want) {
				t.Errorf("key = %v, want the user as int64, big endian", r.Key)
			}
		}
	})
}
