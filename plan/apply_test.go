package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

func TestApplyFromNothingLeavesNothingToDo(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	first := r.plan(t, want)
	var reported []string
	err := plan.Apply(t.Context(), r.target(), first, func(c plan.Change, err error) {
		if err != nil {
			t.Error(err)
		}
		reported = append(reported, string(c.Kind)+" "+c.Name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := r.plan(t, want); !p.Empty() {
		t.Errorf("after apply there is still\n%s", text(p))
	}
	if len(reported) != len(first.Changes) {
		t.Errorf("%d changes reported of %d", len(reported), len(first.Changes))
	}
	if !slices.IsSortedFunc(reported, byKind) {
		t.Errorf("changes were made in the order %q", reported)
	}
	// Again, with the plan that is done already: nothing fails, nothing changes.
	if err := plan.Apply(t.Context(), r.target(), first, nil); err != nil {
		t.Errorf("applying the same plan again: %v", err)
	}
	if p := r.plan(t, want); !p.Empty() {
		t.Errorf("after the second apply there is\n%s", text(p))
	}
	for _, u := range want.Users {
		r.connect(t, u.Name, u.Mechanism)
	}
}

func byKind(a, b string) int {
	order := []string{"topic", "user", "acl", "group", "subject", "schema"}
	kind := func(s string) int { return slices.Index(order, strings.Fields(s)[0]) }
	return kind(a) - kind(b)
}

func TestApplyMakesEveryKindOfUpdate(t *testing.T) {
	t.Parallel()
	r := start(t)
	const schemas = "schemas/a.avsc"
	body := func(partitions int, retention, largest, level string) map[string]string {
		return map[string]string{
			"a/" + schemas: `{"type": "record", "name": "A", "fields": [{"name": "id", "type": "string"}]}`,
			"a": fmt.Sprintf("topics: {a.b.v1: {key: id, partitions: %d, retention: %s, maxMessage: %s, schema: {file: %s, compatibility: %s}}}\nproduces: {a.b.v1: {}}",
				partitions, retention, largest, schemas, level),
		}
	}
	before := derive(t, estate(t, "dev", body(3, "7d", "2MiB", "full")), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, before), nil); err != nil {
		t.Fatal(err)
	}
	after := derive(t, estate(t, "dev", body(6, "1d", "1MiB", "backward")), contract.Embedded)
	p := r.plan(t, after)
	if err := plan.Apply(t.Context(), r.target(), p, nil); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanNeedsAllow) {
		t.Fatalf("Apply() = %v, want ErrRefused", err)
	}
	if again := r.plan(t, after); again.Hash != p.Hash {
		t.Errorf("a refused plan changed something: now\n%s", text(again))
	}
	target := r.target()
	target.Allow = []string{"repartition:a.b.v1", "retention:a.b.v1", "max-message:a.b.v1", "compatibility:a.b.v1-value"}
	if err := plan.Apply(t.Context(), target, p, nil); err != nil {
		t.Fatal(err)
	}
	if p := r.plan(t, after); !p.Empty() {
		t.Errorf("after apply there is still\n%s", text(p))
	}
}

func TestWhatExistsAndNobodyDesiresIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := start(t)
	foreign := []kafka.Topic{
		{Name: "legacy.v1", Partitions: 2, Replicas: 3},
		{Name: "orders.created.v1", Partitions: 3, Replicas: 3, Configs: map[string]string{
			"segment.ms": "3600000", kafka.RetentionMillis: "604800000", kafka.MinInsyncReplicas: "2", kafka.CleanupPolicy: "delete",
		}},
	}
	stray := binding{Principal: "User:legacy", ResourceType: "TOPIC", Name: "*", Pattern: "LITERAL", Operation: "ALL", Permission: "ALLOW", Host: "*"}
	if err := errors.Join(append(r.admin.CreateTopics(t.Context(), foreign), r.admin.Grant(t.Context(), []binding{stray})...)...); err != nil {
		t.Fatal(err)
	}
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	topics, err := r.admin.Topics(t.Context(), "legacy.v1", "orders.created.v1")
	if err != nil || topics["legacy.v1"].Partitions != 2 || topics["orders.created.v1"].Configs["segment.ms"] != "3600000" {
		t.Errorf("topics are %v, %v, want what was there", topics, err)
	}
	bindings, err := r.admin.ACLs(t.Context())
	if err != nil || !slices.Contains(bindings, stray) {
		t.Errorf("the stray ACL is gone: %v", err)
	}
}

func TestOneFailureDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.Kafka().Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "inventory.stock.v1", Err: kerr.PolicyViolation},
		kfake.Fault{Keys: []kmsg.Key{kmsg.CreateACLs}, Err: kerr.SecurityDisabled, Count: 1},
	)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	first := r.plan(t, want)
	failed := map[string]error{}
	target := r.target()
	target.Passwords = func(user string) (secret.Secret, error) {
		if user == "svc-orders-dev" {
			return secret.Secret{}, errors.New("the vault is sealed")
		}
		return secret.New(r.Password(user)), nil
	}
	err := plan.Apply(t.Context(), target, first, func(c plan.Change, err error) {
		if err != nil {
			failed[string(c.Kind)+" "+c.Name] = err
		}
	})
	if !errors.Is(failed["topic inventory.stock.v1"], diag.PlanItemFailed) {
		t.Errorf("the refused topic: %v, want %s", failed["topic inventory.stock.v1"], diag.PlanItemFailed)
	}
	if got := failed["user svc-orders-dev"]; !errors.Is(got, diag.PlanNoPassword) || !strings.Contains(got.Error(), "the vault is sealed") {
		t.Errorf("the user without password: %v, want %s", got, diag.PlanNoPassword)
	}
	if got := len(diag.Of(err)); got != len(failed) || got < 3 {
		t.Errorf("%d diagnostics for %d failures, want at least 3 and as many", got, len(failed))
	}
	for _, d := range diag.Of(err) {
		if d.Position.Line == 0 || len(d.Evidence) == 0 {
			t.Errorf("%s has position %v and evidence %q, want the contract's line", d, d.Position, d.Evidence)
		}
	}
	left := r.plan(t, want)
	if len(left.Changes) != len(failed) {
		t.Errorf("%d changes failed and %d are left:\n%s", len(failed), len(left.Changes), text(left))
	}
}

func TestWhatAProgressReportSaysIsTrueUnderLostAnswers(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.AlterUserSCRAMCredentials, kmsg.CreateACLs} {
		r.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.RequestTimedOut, Count: 1})
	}
	want := derive(t, shop(t, "dev"), contract.Embedded)
	var err error
	for range 3 { // each attempt makes what is missing; none may report a failure of what is done
		if err = plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if p := r.plan(t, want); !p.Empty() {
		t.Errorf("there is still\n%s", text(p))
	}
}

func TestApplyStopsWhereTheContextEnds(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	cause := errors.New("the operator pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	var kinds []string
	err := plan.Apply(ctx, r.target(), r.plan(t, want), func(c plan.Change, err error) {
		if err != nil {
			t.Error(err)
		}
		kinds = append(kinds, string(c.Kind))
		cancel(cause)
	})
	if !errors.Is(err, cause) {
		t.Errorf("Apply() = %v, want the context's cause", err)
	}
	if diff := cmp.Diff([]string{"topic"}, slices.Compact(kinds)); diff != "" {
		t.Errorf("kinds reported (-want +got):\n%s", diff)
	}
}

func TestASchemaThatBreaksItsSubjectIsImpossible(t *testing.T) {
	t.Parallel()
	r := start(t)
	files := map[string]string{
		"a/a.avsc": `{"type": "record", "name": "A", "fields": [{"name": "id", "type": "string"}]}`,
		"a":        "topics: {a.b.v1: {schema: {file: a.avsc, compatibility: full}}}",
	}
	want := derive(t, estate(t, "dev", files), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	files["a/a.avsc"] = `{"type": "record", "name": "A", "fields": [{"name": "id", "type": "string"}, {"name": "sum", "type": "long"}]}`
	want = derive(t, estate(t, "dev", files), contract.Embedded)
	err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil)
	if !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanImpossible) {
		t.Fatalf("Apply() = %v, want %s", err, diag.PlanImpossible)
	}
	if d := diag.Of(err)[0]; !strings.Contains(d.Fix, "not full compatible") || !strings.Contains(d.Fix, "sum") {
		t.Errorf("fix is %q, want the level and the field", d.Fix)
	}
}

func TestApplyNeedsTheClusterThePlanWasMadeFor(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	p := diff(t, want, &plan.Actual{ClusterID: "elsewhere", Brokers: 3})
	if err := plan.Apply(t.Context(), r.target(), p, nil); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanWrongCluster) {
		t.Errorf("Apply() = %v, want %s", err, diag.PlanWrongCluster)
	}
	want.ClusterID = "elsewhere"
	if _, err := plan.Read(t.Context(), want, r.admin, r.registry); !errors.Is(err, plan.ErrRefused) {
		t.Errorf("Read() = %v, want ErrRefused", err)
	}
}

func TestSchemasNeedARegistry(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if _, err := plan.Read(t.Context(), want, r.admin, nil); !errors.Is(err, diag.PlanNoRegistry) {
		t.Errorf("Read() = %v, want %s", err, diag.PlanNoRegistry)
	}
	target := r.target()
	target.Registry, target.Passwords = nil, nil
	err := plan.Apply(t.Context(), target, r.plan(t, want), nil)
	count := map[diag.Code]int{}
	for _, d := range diag.Of(err) {
		count[d.Code]++
	}
	if diff := cmp.Diff(map[diag.Code]int{diag.PlanNoRegistry: 6, diag.PlanNoPassword: 6}, count); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestWithoutRightsAPlanSaysSo(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	p := r.plan(t, want)
	if err := plan.Apply(t.Context(), r.target(), p, nil); err != nil {
		t.Fatal(err)
	}
	weak := r.connect(t, "svc-orders-dev", contract.SCRAMSHA512)
	if _, err := plan.Read(t.Context(), want, weak, r.registry); !errors.Is(err, diag.KafkaDenied) {
		t.Errorf("Read() = %v, want %s", err, diag.KafkaDenied)
	}
	target := r.target()
	target.Cluster = weak
	err := plan.Apply(t.Context(), target, p, nil)
	for _, d := range diag.Of(err) {
		if d.Code != diag.KafkaDenied {
			t.Errorf("%s, want %s", d, diag.KafkaDenied)
		}
	}
	if !errors.Is(err, diag.KafkaDenied) {
		t.Errorf("Apply() = %v, want %s", err, diag.KafkaDenied)
	}
}

func TestSettleTellsWhetherWhatIsDesiredIsSo(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	target := r.target()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if settled, err := plan.Settle(ctx, want, target.Cluster, target.Registry); settled || err == nil {
		t.Errorf("Settle() = %v, %v before anything was applied, want it to wait", settled, err)
	}
	if err := plan.Apply(t.Context(), target, r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	if settled, err := plan.Settle(t.Context(), want, target.Cluster, target.Registry); !settled || err != nil {
		t.Errorf("Settle() = %v, %v after apply, want true", settled, err)
	}
}
