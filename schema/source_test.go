package schema_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// shelf is a registry of subjects with one version each.
type shelf struct {
	schema.Registry
	texts map[string]schema.Text
}

func (s shelf) Version(_ context.Context, subject string, number int) (schema.Version, error) {
	text, ok := s.texts[subject]
	if !ok || number != 1 {
		return schema.Version{}, fmt.Errorf("version %d of %s: %w", number, subject, schema.ErrNotFound)
	}
	return schema.Version{Text: text, ID: 1, Version: 1}, nil
}

func (s shelf) Find(_ context.Context, subject string, text schema.Text) (schema.Version, error) {
	if held, ok := s.texts[subject]; !ok || !held.Equal(text) {
		return schema.Version{}, fmt.Errorf("%s: %w", subject, schema.ErrNotFound)
	}
	return schema.Version{ID: 1, Version: 1}, nil
}

func TestReferencesThatLeadInACircleAreToldWithTheWay(t *testing.T) {
	t.Parallel()
	s := schema.Source{Schema: `"a"`, Imports: []schema.Import{
		{Name: "a", Schema: `["b", 1]`, Subject: "a"},
		{Name: "b", Schema: `["a", 2]`, Subject: "b"},
	}}
	_, err := s.Pin(t.Context(), shelf{}, "avro")
	if !errors.Is(err, diag.SchemaReference) || !strings.Contains(err.Error(), "a → b → a") {
		t.Errorf("Pin = %v, want %v with the way", err, diag.SchemaReference)
	}
}

// TestARegistryThatRefersToItselfEnds: what a registry answers is not trusted.
func TestARegistryThatRefersToItselfEnds(t *testing.T) {
	t.Parallel()
	r := shelf{texts: make(map[string]schema.Text)}
	for i := range 300 {
		r.texts[fmt.Sprint(i)] = schema.Text{Schema: "x", References: []schema.Reference{
			{Name: "back", Subject: "0", Version: 1}, {Name: fmt.Sprint("n", i+1), Subject: fmt.Sprint(i + 1), Version: 1},
		}}
	}
	_, err := schema.Resolve(t.Context(), r, schema.Text{Schema: "x", References: []schema.Reference{{Name: "n0", Subject: "0", Version: 1}}})
	if !errors.Is(err, diag.SchemaReference) {
		t.Errorf("Resolve = %v, want %v", err, diag.SchemaReference)
	}
}

func TestWhatOnlyTheRegistryHasIsFetchedWithWhatItBuildsOn(t *testing.T) {
	t.Parallel()
	r := shelf{texts: map[string]schema.Text{
		"price": {Schema: `uses "money"`, References: []schema.Reference{{Name: "money", Subject: "m", Version: 1}}},
		"m":     {Schema: "money itself"},
	}}
	s := schema.Source{Schema: `uses "price"`, Imports: []schema.Import{{Name: "price", Subject: "price", Version: 1}}}
	got, err := s.Complete(t.Context(), r)
	if err != nil || len(got.Imports) != 2 || got.Imports[0].Schema != `uses "money"` || got.Imports[1].Schema != "money itself" {
		t.Errorf("Complete = %+v, %v", got, err)
	}
	if s.Imports[0].Schema != "" {
		t.Error("Complete changed what it was given")
	}
	text, err := got.Pin(t.Context(), r, "avro")
	if want := (schema.Reference{Name: "price", Subject: "price", Version: 1}); err != nil || len(text.References) != 1 || text.References[0] != want {
		t.Errorf("Pin = %+v, %v, want %+v alone", text, err, want)
	}
	s.Imports[0].Version = 2
	if _, err := s.Complete(t.Context(), r); !errors.Is(err, schema.ErrNotFound) {
		t.Errorf("Complete with a version that is not there = %v, want %v", err, schema.ErrNotFound)
	}
}

func TestTheSubjectFollowsTheStrategy(t *testing.T) {
	t.Parallel()
	for strategy, want := range map[contract.SubjectStrategy]string{
		"": "dev.orders.v1-value", contract.SubjectTopic: "dev.orders.v1-value",
		contract.SubjectRecord: "dev.shop.Order", contract.SubjectTopicRecord: "dev.orders.v1-shop.Order",
	} {
		if got := schema.Subject(strategy, "dev.", "orders.v1", "shop.Order"); got != want {
			t.Errorf("Subject(%s) = %s, want %s", strategy, got, want)
		}
	}
}
