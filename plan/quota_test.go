package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

func bounded(t failer, quotas string) *plan.Desired {
	return derive(t, estate(t, "dev", map[string]string{"a": topicAB + "quotas: " + quotas}), contract.Embedded)
}

// quotaChanges are a plan's changes of quotas, as a person reads them.
func quotaChanges(p *plan.Plan) []string {
	var all []string
	for _, c := range p.Changes {
		if c.Kind == plan.KindQuota {
			all = append(all, strings.TrimSpace(c.String()+" "+c.Allow))
		}
	}
	return all
}

func TestAQuotaIsOfTheServicesUserWhateverItLogsInWith(t *testing.T) {
	t.Parallel()
	r := estate(t, "prod", map[string]string{
		"clusters.yaml": `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {east: {id: e, bootstrap: {mtls: "e:1", scram: "e:2"}}, west: {id: w, bootstrap: {mtls: "w:1"}}}
environments: {prod: {default: east, other: west}}
`,
		"a": "topics: {a.b.v1: {key: id}}\nproduces: {a.b.v1: {}}\nconsumes: {c.d.v1: {cluster: other, as: table}}\nquotas: {produce: 1MiB/s, consume: 2MiB/s, requests: 50%}",
		"b": "topics: {c.d.v1: {key: id, cluster: other}}\nproduces: {c.d.v1: {cluster: other}}\nquotas: {requests: 250%}\nadopt: {principal: legacy}",
		"c": "identity: {auth: scram-sha-512}\ntopics: {e.f.v1: {key: id}}\nproduces: {e.f.v1: {}}\nquotas: {}",
	})
	for cluster, want := range map[string][]plan.Quota{
		"east": {{User: "svc-a-prod", Service: "a", Limits: map[string]float64{kafka.QuotaProduce: 1 << 20, kafka.QuotaConsume: 2 << 20, kafka.QuotaRequests: 50}}},
		"west": {
			{User: "legacy", Service: "b", Limits: map[string]float64{kafka.QuotaRequests: 250}},
			{User: "svc-a-prod", Service: "a", Limits: map[string]float64{kafka.QuotaProduce: 1 << 20, kafka.QuotaConsume: 2 << 20, kafka.QuotaRequests: 50}},
		},
	} {
		got := derive(t, r, cluster).Quotas
		for i := range got {
			if text := got[i].Reasons[0].String(); !strings.Contains(text, "bounds itself to ") || !strings.Contains(text, "slipway.yaml:") {
				t.Errorf("the reason is %s", text)
			}
			got[i].Reasons = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", cluster, diff)
		}
	}
}

func TestAQuotaThatHoldsUpWhatRunsNeedsToBeAllowed(t *testing.T) {
	t.Parallel()
	const user = "svc-a-dev"
	limits := func(produce, consume float64) map[string]float64 {
		all := map[string]float64{kafka.QuotaProduce: produce, kafka.QuotaConsume: consume}
		for key, limit := range all {
			if limit == 0 {
				delete(all, key)
			}
		}
		return all
	}
	for name, tt := range map[string]struct {
		have    map[string]float64
		running bool
		want    []string
	}{
		"the first of a new service":        {nil, false, []string{"+ quota svc-a-dev consumer_byte_rate=2097152, producer_byte_rate=1048576 [safe]"}},
		"the first of one that has rights":  {nil, true, []string{"+ quota svc-a-dev consumer_byte_rate=2097152, producer_byte_rate=1048576 [disruptive] quota:svc-a-dev"}},
		"as desired":                        {limits(1<<20, 2<<20), true, nil},
		"beside a limit of somebody else's": {map[string]float64{kafka.QuotaProduce: 1 << 20, kafka.QuotaConsume: 2 << 20, "controller_mutation_rate": 5}, true, nil},
		"raised":                            {limits(1<<10, 2<<20), true, []string{"~ quota svc-a-dev producer_byte_rate 1024 → 1048576 [safe]"}},
		"lowered":                           {limits(1<<20, 3<<20), true, []string{"~ quota svc-a-dev consumer_byte_rate 3145728 → 2097152 [disruptive] quota:svc-a-dev"}},
		"raised and bounded for the first time": {limits(1<<10, 0), true, []string{
			"~ quota svc-a-dev consumer_byte_rate (none) → 2097152 [disruptive] quota:svc-a-dev",
			"~ quota svc-a-dev producer_byte_rate 1024 → 1048576 [safe]",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := bounded(t, "{produce: 1MiB/s, consume: 2MiB/s}")
			have := settled(want)
			have.Quotas = map[string]map[string]float64{user: tt.have}
			if !tt.running {
				have.Bindings = nil
			}
			p := diff(t, want, have)
			if diff := cmp.Diff(tt.want, quotaChanges(p)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if p.Summary().NeedAllow > 0 && !strings.Contains(text(p), "brokers answer it later from then on") {
				t.Errorf("nobody is told what it means:\n%s", text(p))
			}
		})
	}
}

// TestAServiceIsBoundedBeforeItHasRights is what lets an apply that was cut
// short go on by itself: after the rights the first quota would need leave.
func TestAServiceIsBoundedBeforeItHasRights(t *testing.T) {
	t.Parallel()
	want := bounded(t, "{produce: 1MiB/s}")
	var kinds []plan.Kind
	for _, c := range diff(t, want, &plan.Actual{Brokers: 3}).Changes {
		kinds = append(kinds, c.Kind)
	}
	if quota, acl := slices.Index(kinds, plan.KindQuota), slices.Index(kinds, plan.KindACL); quota < 0 || quota > acl {
		t.Errorf("the order is %v", kinds)
	}
}

// TestApplyLeavesNothingToDoWhateverTheQuotas draws quotas and draws them anew,
// for users that may have limits of another hand already.
func TestApplyLeavesNothingToDoWhateverTheQuotas(t *testing.T) {
	t.Parallel()
	r := start(t)
	draw := func(rt *rapid.T) string {
		var all []string
		if n := rapid.IntRange(0, 4).Draw(rt, "produce"); n > 0 {
			all = append(all, fmt.Sprintf("produce: %dMiB/s", n))
		}
		if n := rapid.IntRange(0, 4).Draw(rt, "consume"); n > 0 {
			all = append(all, fmt.Sprintf("consume: %dKiB/s", n))
		}
		if n := rapid.IntRange(0, 400).Draw(rt, "requests"); n > 0 {
			all = append(all, fmt.Sprintf("requests: %d%%", n))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := fmt.Sprintf("q%d", life.Add(1))
		topic := name + ".b.v1"
		foreign := kafka.Quota{User: "svc-" + name + "-dev", Limits: map[string]float64{"controller_mutation_rate": 7}}
		if rapid.Bool().Draw(rt, "foreign") {
			if err := r.admin.SetQuotas(t.Context(), []kafka.Quota{foreign})[0]; err != nil {
				rt.Fatal(err)
			}
		}
		for range 3 {
			body := fmt.Sprintf("topics: {%[1]s: {key: id}}\nproduces: {%[1]s: {}}\nquotas: %s", topic, draw(rt))
			want := derive(rt, estate(rt, "dev", map[string]string{name: body}), contract.Embedded)
			p := r.plan(t, want)
			target := r.target()
			for _, c := range p.Changes {
				if c.Allow != "" {
					target.Allow = append(target.Allow, c.Allow)
				}
			}
			if err := plan.Apply(t.Context(), target, p, nil); err != nil {
				rt.Fatalf("%v\n%s", err, text(p))
			}
			if left := r.plan(t, want); !left.Empty() {
				rt.Fatalf("after apply there is still\n%s", text(left))
			}
			have, err := r.admin.Quotas(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			for _, q := range want.Quotas {
				for key, limit := range q.Limits {
					if have[q.User][key] != limit {
						rt.Fatalf("%s of %s is %v, want %v", key, q.User, have[q.User][key], limit)
					}
				}
			}
		}
	})
}

func TestAQuotaCanBeAskedWhyItIsThere(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{"a": topicAB + "quotas: {produce: 1MiB/s}"})
	all, err := plan.Explain(r, "svc-a-dev")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range all {
		told = append(told, e.Kind+": "+e.Detail)
	}
	if want := "quota: what svc-a-dev may take of each broker: producer_byte_rate=1048576"; !strings.Contains(strings.Join(told, "\n"), want) {
		t.Errorf("explained as %q, want %s", told, want)
	}
}
