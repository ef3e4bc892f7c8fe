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
			if got, err := a.Text(ctx, id); err != nil || got != text {
				t.Errorf("Text = %v, %v, want %v", got, err, text)
			}
			want := schema.Version{Text: text, ID: id, Version: 1}
			if got, err := a.Latest(ctx, subject); err != nil || got != want {
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
