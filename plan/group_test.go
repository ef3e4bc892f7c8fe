package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

const topicAB = "topics: {a.b.v1: {key: id}, c.d.v1: {key: id}}\nproduces: {a.b.v1: {}, c.d.v1: {}}\n"

func grouped(t *testing.T, consumes string) *plan.Desired {
	t.Helper()
	return derive(t, estate(t, "dev", map[string]string{"a": topicAB + "consumes: " + consumes}), contract.Embedded)
}

func TestOnlyWhatAContractAsksOfAGroupIsASettingOnTheBrokers(t *testing.T) {
	t.Parallel()
	for consumes, want := range map[string][]string{
		"{a.b.v1: {session: 1m}}":                               nil, // a classic member brings it
		"{a.b.v1: {protocol: consumer}}":                        nil,
		"{a.b.v1: {protocol: consumer, session: 45s}}":          nil,
		"{a.b.v1: {as: share}}":                                 nil,
		"{a.b.v1: {as: table}}":                                 nil,
		"{a.b.v1: {protocol: consumer, session: 1m}}":           {"svc-a-dev consumer.session.timeout.ms=60000"},
		"{a.b.v1: {protocol: consumer, heartbeat: 5s}}":         {"svc-a-dev consumer.heartbeat.interval.ms=5000"},
		"{a.b.v1: {protocol: consumer, group: g, session: 1m}}": {"svc-a-dev.g consumer.session.timeout.ms=60000"},
		"{a.b.v1: {protocol: consumer, session: 30s, heartbeat: 10s}, c.d.v1: {protocol: consumer, session: 30s, heartbeat: 10s}}": {
			"svc-a-dev consumer.heartbeat.interval.ms=10000", "svc-a-dev consumer.session.timeout.ms=30000",
		},
	} {
		var got []string
		for _, c := range diff(t, grouped(t, consumes), &plan.Actual{Brokers: 3}).Changes {
			if c.Kind == plan.KindGroup {
				got = append(got, c.Name+" "+c.Fields[0].Name+"="+c.Fields[0].After)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", consumes, diff)
		}
	}
}

func TestSettingsOfGroupsAreApplied(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := grouped(t, "{a.b.v1: {protocol: consumer, session: 1m, heartbeat: 9s}}")
	p := r.plan(t, want)
	if !strings.Contains(text(p), `~ group svc-a-dev consumer.session.timeout.ms (none) → 60000 [safe]
    because a consumes a.b.v1 with session 1m and heartbeat 9s (a/slipway.yaml:6:12)`) {
		t.Errorf("the plan is\n%s", text(p))
	}
	if err := plan.Apply(t.Context(), r.target(), p, nil); err != nil {
		t.Fatal(err)
	}
	if left := r.plan(t, want); !left.Empty() {
		t.Errorf("after apply there is still\n%s", text(left))
	}
	shorter := grouped(t, "{a.b.v1: {protocol: consumer, session: 30s, heartbeat: 9s}}")
	p = r.plan(t, shorter)
	if len(p.Changes) != 1 || p.Changes[0].String() != "~ group svc-a-dev consumer.session.timeout.ms 60000 → 30000 [safe]" {
		t.Errorf("the plan is\n%s", text(p))
	}
	if err := plan.Apply(t.Context(), r.target(), p, nil); err != nil {
		t.Fatal(err)
	}
}

// TestASessionHasRoomForThreeHeartbeatsWhoeverSetThem joins half a contract's
// setting with what the brokers have: together they would be too tight.
func TestASessionHasRoomForThreeHeartbeatsWhoeverSetThem(t *testing.T) {
	t.Parallel()
	const session, heartbeat = "consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"
	for name, tt := range map[string]struct {
		consumes string
		have     map[string]string
		refused  bool
	}{
		"the broker's defaults":           {"{a.b.v1: {protocol: consumer, session: 1m}}", map[string]string{session: "45000", heartbeat: "5000"}, false},
		"brokers that tell no defaults":   {"{a.b.v1: {protocol: consumer, session: 1m}}", nil, false},
		"a shorter session on the broker": {"{a.b.v1: {protocol: consumer, heartbeat: 10s}}", map[string]string{session: "20000", heartbeat: "5000"}, true},
		"a longer beat on the broker":     {"{a.b.v1: {protocol: consumer, session: 1m}}", map[string]string{session: "45000", heartbeat: "25000"}, true},
		"both in the contract":            {"{a.b.v1: {protocol: consumer, session: 46s, heartbeat: 10s}}", map[string]string{session: "20000", heartbeat: "25000"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := grouped(t, tt.consumes)
			have := settled(want)
			have.Groups["svc-a-dev"] = tt.have
			err := plan.Guard(diff(t, want, have), nil)
			list := diag.Of(err)
			if refused := len(list) == 1 && list[0].Code == diag.PlanImpossible && strings.Contains(list[0].Remedy(), "no room for 3 heartbeats"); refused != tt.refused {
				t.Errorf("Guard() = %v, want it refused: %t", err, tt.refused)
			}
		})
	}
}
