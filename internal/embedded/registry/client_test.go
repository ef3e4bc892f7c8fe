package registry_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded/registry"
	"github.com/slipway-go/slipway/schema"
)

// admins returns package schema's client of the embedded registry and, where
// one is named, of another.
func admins(t *testing.T) map[string]*schema.Admin {
	t.Helper()
	server := httptest.NewServer(open(t, registry.Config{}))
	t.Cleanup(server.Close)
	all := make(map[string]*schema.Admin)
	for name, address := range map[string]string{"embedded": server.URL, "other": os.Getenv(envRegistry)} {
		if address == "" {
			continue
		}
		a, err := schema.NewAdmin(schema.ClientConfig{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Close)
		all[name] = a
	}
	return all
}

// TestWhatApplyWritesServicesFind is the way of a schema from the contract to
// a record, through both sides of package schema.
func TestWhatApplyWritesServicesFind(t *testing.T) {
	t.Parallel()
	for name, a := range admins(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, subject := t.Context(), "a b/ü-"+strconv.FormatInt(time.Now().UnixNano(), 36)+"-value"
			text := schema.Text{Format: "avro", Schema: order1}
			reformatted := schema.Text{Format: "avro", Schema: strings.ReplaceAll(order1, ",", ",\n  ")}

			if _, err := a.Lookup(ctx, subject, text); !errors.Is(err, schema.ErrNotFound) || !errors.Is(err, diag.SchemaNotRegistered) {
				t.Errorf("Lookup before = %v, want %v", err, schema.ErrNotFound)
			}
			if versions, err := a.Versions(ctx, subject); err != nil || len(versions) != 0 {
				t.Errorf("Versions before = %v, %v, want none", versions, err)
			}
			if reasons, err := a.Check(ctx, subject, text); err != nil || len(reasons) != 0 {
				t.Errorf("Check before = %v, %v, want compatible", reasons, err)
			}
			id, err := a.Register(ctx, subject, text)
			if err != nil {
				t.Fatalf("Register: %v", err)
			}
			if again, err := a.Register(ctx, subject, reformatted); err != nil || again != id {
				t.Errorf("Register reformatted = %d, %v, want %d", again, err, id)
			}
			if got, err := a.Lookup(ctx, subject, reformatted); err != nil || got != id {
				t.Errorf("Lookup reformatted = %d, %v, want %d", got, err, id)
			}
			if got, err := a.Text(ctx, id); err != nil || !got.Equal(text) {
				t.Errorf("Text = %v, %v, want %v", got, err, text)
			}
			want := schema.Version{Text: text, ID: id, Version: 1}
			got, err := a.Latest(ctx, subject)
			got.GUID = schema.GUID{} // not every registry has them
			if err != nil || !got.Equal(want) {
				t.Errorf("Latest = %v, %v, want %v", got, err, want)
			}
			if got, err := a.Subjects(ctx); err != nil || !slices.Contains(got, subject) {
				t.Errorf("Subjects = %v, %v, want %q in it", got, err, subject)
			}
		})
	}
}

func TestABreakingSchemaIsRefusedWithTheField(t *testing.T) {
	t.Parallel()
	for name, a := range admins(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, subject := t.Context(), "orders-"+strconv.FormatInt(time.Now().UnixNano(), 36)+"-value"
			if err := a.SetCompatibility(ctx, subject, "backward_transitive"); err != nil {
				t.Fatalf("SetCompatibility: %v", err)
			}
			if level, err := a.Compatibility(ctx, subject); err != nil || level != "backward_transitive" {
				t.Errorf("Compatibility = %q, %v", level, err)
			}
			if _, err := a.Register(ctx, subject, schema.Text{Format: "avro", Schema: order1}); err != nil {
				t.Fatal(err)
			}
			breaking := schema.Text{Format: "avro", Schema: order3}
			reasons, err := a.Check(ctx, subject, breaking)
			if err != nil || len(reasons) == 0 {
				t.Fatalf("Check = %v, %v, want reasons", reasons, err)
			}
			told := schema.Incompatible(subject, reasons)
			if !strings.Contains(strings.Join(told.Evidence, " "), "total") || told.Code != diag.SchemaIncompatible {
				t.Errorf("Incompatible = %+v, want field total", told)
			}
			if _, err := a.Register(ctx, subject, breaking); !errors.Is(err, schema.ErrIncompatible) || !strings.Contains(err.Error(), "total") {
				t.Errorf("Register = %v, want %v that names field total", err, schema.ErrIncompatible)
			}
			if _, err := a.Register(ctx, subject, schema.Text{Format: "avro", Schema: `{"type":"nope"}`}); !errors.Is(err, schema.ErrInvalid) {
				t.Errorf("Register of no schema = %v, want %v", err, schema.ErrInvalid)
			}
		})
	}
}

func TestASubjectWithoutLevelFollowsTheGlobalOne(t *testing.T) {
	t.Parallel()
	a := admins(t)["embedded"]
	if level, err := a.Compatibility(t.Context(), "orders-value"); err != nil || level != "" {
		t.Errorf("Compatibility = %q, %v, want none of its own", level, err)
	}
}

// adminOf is package schema's client of a registry.
func adminOf(t *testing.T, r *registry.Registry) *schema.Admin {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	a, err := schema.NewAdmin(schema.ClientConfig{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// TestASourceIsRegisteredBehindWhatItBuildsOn goes over two steps: the file
// imports one that imports another.
func TestASourceIsRegisteredBehindWhatItBuildsOn(t *testing.T) {
	t.Parallel()
	for name, a := range admins(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := strconv.FormatInt(time.Now().UnixNano(), 36)
			source := schema.Source{
				Schema: `syntax = "proto3"; import "shop/price.proto"; message Order { shop.Price price = 1; }`,
				Imports: []schema.Import{
					{Name: "shop/price.proto", Subject: at + "/price.proto", Schema: `syntax = "proto3"; package shop; import "shop/money.proto"; message Price { Money net = 1; }`},
					{Name: "shop/money.proto", Subject: at + "/money.proto", Schema: `syntax = "proto3"; package shop; message Money { int64 minor = 1; }`},
				},
			}
			if _, err := source.Pin(t.Context(), a, "protobuf"); !errors.Is(err, schema.ErrNotFound) {
				t.Errorf("Pin before = %v, want %v", err, schema.ErrNotFound)
			}
			id, err := a.RegisterSource(t.Context(), at+"-value", "protobuf", source)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := a.RegisterSource(t.Context(), at+"-value", "protobuf", source); err != nil || again != id {
				t.Errorf("registered again as %d, %v, want %d", again, err, id)
			}
			text, err := a.Text(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			got, err := schema.Resolve(t.Context(), a, text)
			if err != nil || len(got.Imports) != 2 || got.Imports[1].Schema != source.Imports[1].Schema {
				t.Errorf("Resolve = %+v, %v", got, err)
			}
			pinned, err := source.Pin(t.Context(), a, "protobuf")
			if err != nil || len(pinned.References) != 1 || pinned.References[0] != text.References[0] {
				t.Errorf("Pin = %+v, %v, want %+v", pinned.References, err, text.References)
			}
		})
	}
}
