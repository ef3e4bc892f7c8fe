package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

func TestAPlanOfAServiceHasItsChangesAlone(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	whole := diff(t, want, &plan.Actual{Brokers: 3})
	n := 0
	for _, name := range []string{"orders", "inventory", "payments"} {
		part := whole.Of(name)
		n += len(part.Changes)
		for _, c := range part.Changes {
			if !slices.ContainsFunc(c.Reasons, func(r plan.Reason) bool { return r.Service == name }) {
				t.Errorf("the plan of %s has %s", name, c)
			}
		}
		if part.Hash == whole.Hash {
			t.Errorf("the plan of %s has the hash of the whole", name)
		}
	}
	if n != len(whole.Changes) {
		t.Errorf("the parts have %d changes and the whole %d", n, len(whole.Changes))
	}
	if got := whole.Of("orders", "inventory", "payments"); got.Hash != whole.Hash {
		t.Error("all services together are not the whole")
	}
}

func TestATopicDoesNotGrowWithoutTheRetryTopicsOfOthers(t *testing.T) {
	t.Parallel()
	files := func(partitions string) map[string]string {
		return map[string]string{
			"a": "topics: {a.b.v1: {key: id, partitions: " + partitions + "}}\nproduces: {a.b.v1: {}}",
			"b": "consumes: {a.b.v1: {}}",
		}
	}
	have := settled(derive(t, estate(t, "dev", files("3")), contract.Embedded))
	want := derive(t, estate(t, "dev", files("6")), contract.Embedded)
	const allow = "repartition:a.b.v1"
	if err := plan.Guard(diff(t, want, have), []string{allow}); err != nil {
		t.Errorf("the whole: %v", err)
	}
	err := plan.Guard(diff(t, want, have).Of("a"), nil)
	if !errors.Is(err, diag.PlanImpossible) || !strings.Contains(diag.Of(err)[0].Fix, "svc-b-dev.a.b.v1.retry grows before it, and is of service b") {
		t.Errorf("of a alone: %v, want %s", err, diag.PlanImpossible)
	}
	if err := plan.Guard(diff(t, want, have).Of("a", "b"), []string{allow}); err != nil {
		t.Errorf("of a and b: %v", err)
	}
}

func TestMorePartitionsNameWhoReadsAndWhatIsPartitionedAlike(t *testing.T) {
	t.Parallel()
	files := func(partitions string) map[string]string {
		return map[string]string{
			"a": "topics: {a.b.v1: {key: id, partitions: " + partitions + "}, a.c.v1: {key: id, partitions: 3}, a.d.v1: {key: id, partitions: 4}}\nproduces: {a.b.v1: {}, a.c.v1: {}, a.d.v1: {}}",
			"b": "consumes: {a.b.v1: {}, a.c.v1: {}, a.d.v1: {}}",
			"c": "consumes: {a.b.v1: {group: x}, a.c.v1: {group: y}}",
			"d": "consumes: {a.b.v1: {as: table}}",
		}
	}
	have := settled(derive(t, estate(t, "dev", files("3")), contract.Embedded))
	for _, c := range diff(t, derive(t, estate(t, "dev", files("6")), contract.Embedded), have).Changes {
		if c.Name != "a.b.v1" {
			continue
		}
		const want = "it is read by svc-b-dev, svc-c-dev.x, and its keys no longer meet those of a.c.v1, which had as many partitions"
		if !strings.HasSuffix(c.Note, want) {
			t.Errorf("note is %q,\nwant it to end with %q", c.Note, want)
		}
		return
	}
	t.Error("nothing grows")
}
