package plan_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

// registered is what is desired of two topics in an estate, one of which has a
// schema that builds on another file.
func registered(t *testing.T, order string) *plan.Desired {
	t.Helper()
	estate, problems := contract.Load(fstest.MapFS{
		"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team}
identity: {auth: scram-sha-512}
topics:
  orders.created.v1: {key: id, schema: {file: order.avsc, references: {shop.Line: line.avsc}}}
  orders.closed.v1: {key: id, schema: {file: closed.avsc}}
produces: {orders.created.v1: {}, orders.closed.v1: {}}
`)},
		"order.avsc":  {Data: []byte(order)},
		"line.avsc":   {Data: []byte(`{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"sku","type":"string"}]}`)},
		"closed.avsc": {Data: []byte(`{"type":"record","name":"Closed","fields":[{"name":"id","type":"string"}]}`)},
	}, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	resolved, problems := estate.In("dev")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return derive(t, resolved, contract.Embedded)
}

const (
	orderSchema = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"},{"name":"line","type":"shop.Line"}]}`
	otherSchema = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"line","type":"shop.Line"}]}`
)

func TestASchemaIsRegisteredWithARegistryAlone(t *testing.T) {
	t.Parallel()
	r := start(t)
	subject := schema.ValueSubject("orders.created.v1")
	want := registered(t, orderSchema).OnlySubjects(subject)
	if len(want.Subjects) != 2 || len(want.Topics)+len(want.Grants) > 0 {
		t.Fatalf("%d subjects and %d topics are desired, want the schema, what it builds on, and nothing else", len(want.Subjects), len(want.Topics))
	}
	look := func(want *plan.Desired) *plan.Plan {
		have, err := plan.ReadSubjects(t.Context(), want, r.registry)
		if err != nil {
			t.Fatal(err)
		}
		return plan.DiffSubjects(want, have)
	}
	done := 0
	if err := plan.Register(t.Context(), r.registry, look(want), nil, func(_ plan.Change, err error) {
		if err == nil {
			done++
		}
	}); err != nil {
		t.Fatal(err)
	}
	if p := look(want); done != 4 || !p.Empty() {
		t.Errorf("%d changes were made, and left are %v; want 4 and none", done, p.Changes)
	}

	// Apply finds the same done, and only the other topic's left.
	have, err := plan.Read(t.Context(), registered(t, orderSchema), r.admin, r.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range diff(t, registered(t, orderSchema), have).Changes {
		if (c.Kind == plan.KindSchema || c.Kind == plan.KindSubject) && c.Name != schema.ValueSubject("orders.closed.v1") {
			t.Errorf("apply would %v", c)
		}
	}

	other := registered(t, otherSchema).OnlySubjects(subject)
	if err := plan.Register(t.Context(), r.registry, look(other), nil, nil); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanImpossible) {
		t.Errorf("an incompatible schema: got %v, want a refusal", err)
	}
}

func TestWithoutARegistryNothingIsRead(t *testing.T) {
	t.Parallel()
	if _, err := plan.ReadSubjects(t.Context(), registered(t, orderSchema), nil); !errors.Is(err, diag.PlanNoRegistry) {
		t.Errorf("got %v, want %s", err, diag.PlanNoRegistry)
	}
}
