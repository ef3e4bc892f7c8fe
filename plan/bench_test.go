package plan_test

import (
	"fmt"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
)

// BenchmarkThousandServices plans a new estate of 1,000 services, each with
// two topics of its own and three it consumes: what the pure part of slipway
// plan costs beside the network.
func BenchmarkThousandServices(b *testing.B) {
	r := manyServices(b, 1000)
	b.ReportAllocs()
	var changes int
	for b.Loop() {
		p := diff(b, derive(b, r, contract.Embedded), &plan.Actual{Brokers: 3})
		changes = len(p.Changes)
	}
	b.ReportMetric(float64(changes), "changes")
}

// BenchmarkApplyHundredServices makes 1,600 changes on the embedded cluster
// and its registry, then looks whether anything is left to do.
func BenchmarkApplyHundredServices(b *testing.B) {
	want := derive(b, manyServices(b, 100), contract.Embedded)
	for b.Loop() {
		r := start(b)
		if err := plan.Apply(b.Context(), r.target(), r.plan(b, want), nil); err != nil {
			b.Fatal(err)
		}
		if left := r.plan(b, want); !left.Empty() {
			b.Fatal(text(left))
		}
	}
}

func manyServices(b testing.TB, services int) *contract.Resolved {
	b.Helper()
	files := map[string]string{}
	name := func(i, j int) string { return fmt.Sprintf("domain%d.topic%d.v1", i%services, j) }
	for i := range services {
		service := fmt.Sprintf("s%d", i)
		files[service+"/r.avsc"] = anySchema
		files[service] = fmt.Sprintf("topics:\n  %[1]s: {key: id, schema: {file: r.avsc}}\n  %[2]s: {key: id, retention: 7d}\nproduces: {%[1]s: {via: transaction}, %[2]s: {}}\nconsumes: {%[3]s: {}, %[4]s: {retry: {delays: [1s]}}, %[5]s: {as: table}}",
			name(i, 0), name(i, 1), name(i+1, 0), name(i+2, 1), name(i+3, 0))
	}
	return estate(b, "dev", files)
}
