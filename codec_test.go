package slipway_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A contract whose service reads its own topic; KEY and SCHEMA are a case's.
const visits = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: visits, owner: team-web}
identity: {auth: scram-sha-512}
topics:
  web.visited.v1:
    key: KEY
    partitions: 2
    schema: SCHEMA
produces:
  web.visited.v1: {via: direct}
consumes:
  web.visited.v1: {}
`

// stay is a value in Avro whose page is a type of its own.
type stay struct {
	User visitor `avro:"user"`
	Page string  `avro:"page"`
	Next *place  `avro:"next"`
}

type visitor struct {
	ID     string `avro:"id"`
	Tenant int32  `avro:"tenant"`
}

type place struct {
	Path string `avro:"path"`
}

const (
	staySchema = `{"type":"record","name":"Stay","namespace":"web","fields":[
		{"name":"user","type":{"type":"record","name":"Visitor","fields":[{"name":"id","type":"string"},{"name":"tenant","type":"int"}]}},
		{"name":"page","type":"string"},
		{"name":"next","type":["null","web.Place"],"default":null}]}`
	placeSchema = `{"type":"record","name":"Place","namespace":"web","fields":[{"name":"path","type":"string"}]}`
	clickTitled = `{"title":"Click","type":"object","properties":{"user":{"type":"integer"},"page":{"$ref":"page.json"}},"required":["user","page"]}`
)

func visitFiles(t *testing.T, key, declared string) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{
		"slipway.yaml": {Data: []byte(strings.NewReplacer("KEY", key, "SCHEMA", declared).Replace(visits))},
		"stay.avsc":    {Data: []byte(staySchema)},
		"place.avsc":   {Data: []byte(placeSchema)},
		"click.json":   {Data: []byte(clickTitled)},
		"page.json":    {Data: []byte(`{"type":"string"}`)},
	}
	for _, name := range []string{"visit.proto", "web/page.proto"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: text}
	}
	return all
}

// echo is a service that notes what it reads of what it writes.
type echo[T any] struct {
	mu   sync.Mutex
	got  []*T
	send func(context.Context, *T) error
}

func (e *echo[T]) wire(app *slipway.App) error {
	out := slipway.NewProducer[T](app, "web.visited.v1")
	e.send = func(ctx context.Context, v *T) error {
		_, err := out.Send(ctx, v)
		return err
	}
	slipway.Handle(app, "web.visited.v1", func(_ context.Context, m *slipway.Message[T]) error {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.got = append(e.got, &m.Value)
		return nil
	})
	return nil
}

// roundTrip sends a value, from the service and from the kit, and returns what
// was written and whether it was read as it was sent.
func roundTrip[T any](t *testing.T, files fstest.MapFS, value *T, equal func(a, b *T) bool, check func(*kgo.Record)) {
	t.Helper()
	var e echo[T]
	slipwaytest.Run(t, files, e.wire, func(t *testing.T, k *slipwaytest.Kit) {
		if err := e.send(t.Context(), value); err != nil {
			t.Fatal(err)
		}
		k.Send("web.visited.v1", value)
		k.RequireProduced("web.visited.v1", 2)
		e.mu.Lock()
		defer e.mu.Unlock()
		if len(e.got) != 2 || !equal(e.got[0], value) || !equal(e.got[1], value) {
			t.Errorf("read %v, want two of %v", e.got, value)
		}
		records := k.Records("web.visited.v1")
		if !bytes.Equal(records[0].Key, records[1].Key) || records[0].Partition != records[1].Partition {
			t.Errorf("keys %q and %q on partitions %d and %d, want the same", records[0].Key, records[1].Key, records[0].Partition, records[1].Partition)
		}
		checked := 0
		for _, r := range records {
			if _, ours := header(r, "content-type"); ours { // and not the kit's
				checked++
				check(r)
			}
		}
		if checked != 1 {
			t.Errorf("%d records of the service, want 1", checked)
		}
	})
}

func header(r *kgo.Record, name string) (string, bool) {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value), true
		}
	}
	return "", false
}

func TestProtobufValuesCarryTheirMessageAndBuildOnImports(t *testing.T) {
	t.Parallel()
	equal := func(a, b *Visit) bool { return proto.Equal(a, b) }
	value := &Visit{User: "u-1", Page: &Page{Path: "/"}}
	references := "references: {web/page.proto: web/page.proto}"
	for name, tt := range map[string]struct {
		declared string
		check    func(t *testing.T, r *kgo.Record)
	}{
		"prefix": {"{file: visit.proto, message: web.v1.Visit, " + references + "}", func(t *testing.T, r *kgo.Record) {
			if r.Value[0] != 0 || !bytes.HasPrefix(r.Value[5:], []byte{2, 2}) {
				t.Errorf("value %x, want an id and the indexes of the second message", r.Value)
			}
		}},
		"header, by record": {"{file: visit.proto, message: web.v1.Visit, id: header, subject: record, " + references + "}", func(t *testing.T, r *kgo.Record) {
			mark, _ := header(r, schema.ValueIDHeader)
			if len(mark) != 19 || mark[0] != 1 || mark[17:] != "\x02\x02" {
				t.Errorf("header %x, want a GUID and the indexes of the second message", mark)
			}
			if err := proto.Unmarshal(r.Value, new(Visit)); err != nil || r.Value[0] != 0x0a {
				t.Errorf("value %x, want the message alone: %v", r.Value, err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roundTrip(t, visitFiles(t, "user", tt.declared), value, equal, func(r *kgo.Record) {
				if string(r.Key) != "u-1" {
					t.Errorf("key %q, want u-1", r.Key)
				}
				tt.check(t, r)
			})
		})
	}
}

// TestAvroKeysAreFramedUnderASubjectOfTheirOwn: the key is a record of two
// fields, and the value builds on a type of another file.
func TestAvroKeysAreFramedUnderASubjectOfTheirOwn(t *testing.T) {
	t.Parallel()
	value := &stay{User: visitor{"u-1", 7}, Page: "/", Next: &place{"/cart"}}
	equal := func(a, b *stay) bool { return a.User == b.User && a.Page == b.Page && *a.Next == *b.Next }
	declared := "{file: stay.avsc, subject: topic-record, references: {web.Place: place.avsc}}"
	files := visitFiles(t, "{field: user, format: avro}", declared)
	roundTrip(t, files, value, equal, func(r *kgo.Record) {
		id, payload, err := schema.SplitHeader(r.Key)
		if err != nil || id == 0 || string(payload) != "\x06u-1\x0e" {
			t.Errorf("key %x, want an id and the record", r.Key)
		}
	})
}

func TestJSONValuesInAHeaderStayPlain(t *testing.T) {
	t.Parallel()
	files := visitFiles(t, "{field: user, format: int64}", "{file: click.json, id: header, subject: record, references: {page.json: page.json}}")
	var e echo[click]
	slipwaytest.Run(t, files, e.wire, func(t *testing.T, k *slipwaytest.Kit) {
		if err := e.send(t.Context(), &click{7, "/"}); err != nil {
			t.Fatal(err)
		}
		k.RequireProduced("web.visited.v1", 1)
		r := k.Records("web.visited.v1")[0]
		if string(r.Value) != `{"user":7,"page":"/"}` {
			t.Errorf("value %s, want plain JSON", r.Value)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if len(e.got) != 1 || *e.got[0] != (click{7, "/"}) {
			t.Errorf("read %v", e.got)
		}
	})
}

// TestARegistryWithoutGUIDsIsToldOfAtStart stands for Apicurio's.
func TestARegistryWithoutGUIDsIsToldOfAtStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, err := embedded.Start(t.Context(), embedded.Config{Network: new(kfake.VirtualNetwork)})
		if err != nil {
			t.Fatal(err)
		}
		defer farewell(cluster)
		contract := strings.ReplaceAll(scratch, "{partitions: 1, key: none}", "{partitions: 1, schema: {file: order.avsc, id: header}}")
		app, err := slipway.New(slipway.Config{
			Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(contract)}, "order.avsc": {Data: []byte(orderSchema)}},
			Environment: mounted(t, cluster), Dial: cluster.Dial, Codecs: []schema.Codec{avro.Codec()}, Registry: withoutGUIDs{},
		})
		if err != nil {
			t.Fatal(err)
		}
		slipway.NewProducer[order](app, "scratch.noted.v1")
		if err := app.Run(t.Context()); !errors.Is(err, diag.SchemaNoGUID) {
			t.Errorf("Run() = %v, want %v", err, diag.SchemaNoGUID)
		}
	})
}

// withoutGUIDs is a registry that holds every schema.
type withoutGUIDs struct{ schema.Registry }

func (withoutGUIDs) Find(context.Context, string, schema.Text) (schema.Version, error) {
	return schema.Version{ID: 7, Version: 1}, nil
}
