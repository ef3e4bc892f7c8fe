package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
)

// stockDead is where the service stock puts its dead letters.
const stockDead = "svc-stock-prod.orders.created.v1.dlq"

// withRegistry has the estate's cluster have a registry that holds two schemas.
func (f *groupFixture) withRegistry(access embedded.RegistryAccess) (avro, json int) {
	f.Helper()
	file := filepath.Join(f.dir, "clusters.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	edited := strings.Replace(string(text), "ca: {file: ca.crt}", fmt.Sprintf("ca: {file: ca.crt}, registry: {url: %q, auth: basic}", access.URL), 1)
	f.write("clusters.yaml", edited)
	f.write("registry.auth", access.Reader)
	admin, err := schema.NewAdmin(schema.ClientConfig{URL: access.URL, Credentials: func() (string, error) { return access.Admin, nil }, TLS: f.tls})
	if err != nil {
		f.Fatal(err)
	}
	defer admin.Close()
	register := func(subject, format, text string) int {
		id, err := admin.Register(f.Context(), subject, schema.Text{Format: format, Schema: text})
		if err != nil {
			f.Fatal(err)
		}
		return id
	}
	return register("orders.created.v1-value", "avro", `{"type": "record", "name": "Order", "fields": [{"name": "order_id", "type": "string"}]}`),
		register("orders.paid.v1-value", "json", `{"type": "object", "properties": {"order_id": {"type": "string"}}}`)
}

func (f *groupFixture) write(name, text string) {
	f.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

func TestALettersValueIsShownDecodedAndItsBytesStayToBeHad(t *testing.T) {
	t.Parallel()
	f := stockroom(t)
	avro, object := f.withRegistry(f.registry)
	f.create(stockDead, 1)
	values := [][]byte{
		append(schema.AppendHeader(nil, avro), "\x06o-1"...),
		append(schema.AppendHeader(nil, object), `{"order_id":"o-2"}`...),
		append(schema.AppendHeader(nil, avro), "\x06"...), // cut off
		append(schema.AppendHeader(nil, 4711), "\x06o-1"...),
		[]byte("plain"),
	}
	for _, v := range values {
		r := &kgo.Record{Topic: stockDead, Key: []byte("o"), Value: v, Headers: []kgo.RecordHeader{{Key: "slipway-reason", Value: []byte("rejected")}}}
		if err := f.client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	inspect := func(offset int, more ...string) result {
		args := append([]string{"dlq", "inspect", fmt.Sprintf("%s/0/%d", stockDead, offset), f.dir, "-e", "prod",
			"--registry-auth-file", filepath.Join(f.dir, "registry.auth")}, more...)
		return runWith(f.Context(), f.getenv, args...)
	}
	f.require(inspect(0), 0, fmt.Sprintf("value (9 bytes, avro of schema %d)\n  {\n    \"order_id\": \"o-1\"\n  }\n", avro))
	f.require(inspect(1), 0, fmt.Sprintf("json of schema %d)\n  {\n    \"order_id\": \"o-2\"\n  }\n", object))
	f.require(inspect(0, "--as", "hex"), 0, "value (9 bytes)\n  00000000  00")
	f.require(inspect(2), 0, string(diag.DLQUndecoded), "value (6 bytes)\n  00000000  00")
	f.require(inspect(3), 0, "value (9 bytes)\n  00000000  00")
	f.require(inspect(4), 0, "value (5 bytes)\n  plain")
	var doc struct {
		Value   struct{ Form, Text string }
		Decoded struct {
			Schema int
			Format string
			Value  struct {
				OrderID string `json:"order_id"`
			}
		}
	}
	got := inspect(0, "-o", "json")
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, got.out)
	}
	if doc.Value.Form != "hex" || doc.Value.Text != fmt.Sprintf("%x", values[0]) || doc.Decoded.Value.OrderID != "o-1" || doc.Decoded.Schema != avro || doc.Decoded.Format != "avro" {
		t.Errorf("%+v, want the bytes and what they mean", doc)
	}
}
