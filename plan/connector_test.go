package plan_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/internal/connect/connecttest"
	"github.com/slipway-go/slipway/plan"
)

const sinkName = "svc-a-prod.sink"

// A joint is a cluster with Kafka Connect.
type joint struct {
	*rig
	worker *connecttest.Worker
	client *connect.Client
}

func startConnect(t testing.TB) *joint {
	t.Helper()
	j := &joint{rig: start(t), worker: &connecttest.Worker{}}
	s := httptest.NewServer(j.worker)
	t.Cleanup(s.Close)
	var err error
	if j.client, err = connect.New(connect.Config{URL: s.URL, Pause: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.client.Close)
	return j
}

func (j *joint) plan(t testing.TB, want *plan.Desired) *plan.Plan {
	t.Helper()
	have, err := plan.Read(t.Context(), want, j.admin, j.registry, plan.WithConnect(j.client))
	if err != nil {
		t.Fatal(err)
	}
	return diff(t, want, have)
}

func (j *joint) apply(t testing.TB, p *plan.Plan, allow ...string) error {
	t.Helper()
	target := j.target()
	target.Connect, target.Allow = j.client, allow
	return plan.Apply(t.Context(), target, p, nil)
}

// piped is what is desired of a cluster with a service that has a connector.
func piped(t failer, service, config string) *plan.Desired {
	t.Helper()
	want := derive(t, pipe(t, service, config, "connect: {url: \"https://connect.example.com\"}"), "east")
	want.ClusterID = ""
	return want
}

func pipe(t failer, service, config, beside string) *contract.Resolved {
	t.Helper()
	return estate(t, "prod", map[string]string{
		"clusters.yaml": `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {east: {id: E, bootstrap: {scram: "e:2", mtls: "e:1"}, ` + beside + `}}
environments: {prod: {default: east}, dev: {default: embedded}}
`,
		service: "connectors: {sink: {config: {connector.class: " + connecttest.Sink + ", topics: orders.created.v1, " + config + "}}}",
	})
}

func TestAConnectorIsCreatedChangedAsAWholeAndThenLeftAlone(t *testing.T) {
	t.Parallel()
	j := startConnect(t)
	want := piped(t, "a", "tasks.max: 1, file: /tmp/a, db.password: \"${file:/etc/secrets/db:password}\"")
	p := j.plan(t, want)
	if got, want := text(p), `+ connector svc-a-prod.sink connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector, db.password=${file:/etc/secrets/db:password}, file=/tmp/a, tasks.max=1, topics=orders.created.v1 [safe]
    because a has connector sink (a/slipway.yaml:4:14)
Plan: 1 to add, 0 to change, 0 to delete.
`; got != want {
		t.Errorf("the plan is\n%swant\n%s", got, want)
	}
	if err := j.apply(t, p); err != nil {
		t.Fatal(err)
	}
	if left := j.plan(t, want); !left.Empty() {
		t.Errorf("after apply there is still\n%s", text(left))
	}

	want = piped(t, "a", "tasks.max: 4, errors.tolerance: all, db.password: \"${file:/etc/secrets/db:password}\"")
	p = j.plan(t, want)
	var got []string
	for _, c := range p.Changes {
		got = append(got, c.String()+" "+c.Allow)
	}
	if diff := cmp.Diff([]string{
		"~ connector svc-a-prod.sink errors.tolerance (none) → all [disruptive] restart:svc-a-prod.sink",
		"~ connector svc-a-prod.sink file /tmp/a → (none) [disruptive] restart:svc-a-prod.sink",
		"~ connector svc-a-prod.sink tasks.max 1 → 4 [disruptive] restart:svc-a-prod.sink",
	}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if err := j.apply(t, p); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanNeedsAllow) {
		t.Errorf("without leave: %v", err)
	}
	if err := j.apply(t, p, "restart:svc-a-prod.sink"); err != nil {
		t.Fatal(err)
	}
	if left := j.plan(t, want); !left.Empty() {
		t.Errorf("after apply there is still\n%s", text(left))
	}
	if diff := cmp.Diff([]string{"PUT svc-a-prod.sink", "PUT svc-a-prod.sink"}, j.worker.Calls()); diff != "" {
		t.Errorf("three settings were not sent at once (-want +got):\n%s", diff)
	}
}

func TestWhatAPluginRefusesIsImpossibleAndToldByKey(t *testing.T) {
	t.Parallel()
	j := startConnect(t)
	for name, tt := range map[string]struct{ config, want string }{
		"a value":   {"tasks.max: many", "tasks.max: Invalid value many for configuration tasks.max"},
		"two":       {"tasks.max: many, topics.regex: x", "tasks.max: Invalid value many"},
		"no plugin": {"tasks.max: 1", ""},
	} {
		want := piped(t, "a", tt.config)
		if tt.want == "" {
			want.Connectors[0].Config["connector.class"] = "a.Missing"
			tt.want = "connector.class: no worker has a plugin a.Missing"
		}
		p := j.plan(t, want)
		if len(p.Changes) != 1 || p.Changes[0].Class != plan.Impossible || !strings.Contains(p.Changes[0].Note, tt.want) {
			t.Errorf("%s: the plan is\n%s", name, text(p))
		}
		if err := j.apply(t, p); !errors.Is(err, diag.PlanImpossible) || !strings.Contains(diag.Of(err).Text(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if calls := j.worker.Calls(); len(calls) > 0 {
		t.Errorf("the worker was told %v", calls)
	}
}

// TestASecretThatSomebodyWroteIntoTheWorkerIsNotTold plans the reference in
// its place.
func TestASecretThatSomebodyWroteIntoTheWorkerIsNotTold(t *testing.T) {
	t.Parallel()
	j := startConnect(t)
	want := piped(t, "a", "db.password: \"${file:/etc/secrets/db:password}\", db.url: \"jdbc:x://db/orders\"")
	wrong := map[string]string{"name": sinkName, "db.password": "canary", "db.url": "jdbc:x://db/orders?password=canary", "old.token": "canary"}
	j.worker.Set(sinkName, wrong)
	p := j.plan(t, want)
	if got := text(p); strings.Contains(got, "canary") || !strings.Contains(got, "db.password *** → ${file:/etc/secrets/db:password}") || !strings.Contains(got, "old.token *** → (none)") {
		t.Errorf("the plan is\n%s", got)
	}
}

func TestConnectorsWithoutKafkaConnectAreRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, pipe(t, "a", "tasks.max: 1", "defaults: {replicas: 3}"), "east")
	want.ClusterID = ""
	for name, options := range map[string][]plan.Option{"none": nil, "nil": {plan.WithConnect(nil)}} {
		_, err := plan.Read(t.Context(), want, r.admin, r.registry, options...)
		if list := diag.Of(err); len(list) != 1 || list[0].Code != diag.ConnectMissing || list[0].Position.String() != "a/slipway.yaml:4:14" {
			t.Errorf("%s: %v, want %s at the connector", name, err, diag.ConnectMissing)
		}
	}
	p := diff(t, want, &plan.Actual{Brokers: 3, ClusterID: r.admin.ID()})
	if err := plan.Apply(t.Context(), r.target(), p, nil); !errors.Is(err, diag.ConnectMissing) {
		t.Errorf("apply: %v, want %s", err, diag.ConnectMissing)
	}
}

// TestTheEmbeddedClusterDoesWithoutConnectors resolves an estate where another
// environment has Kafka Connect.
func TestTheEmbeddedClusterDoesWithoutConnectors(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{"a": topicAB + "connectors: {sink: {config: {connector.class: a.B}}}"})
	if want := derive(t, r, contract.Embedded); len(want.Connectors) > 0 {
		t.Errorf("desired: %v", want.Connectors)
	}
}

func TestAConnectorOnAnotherClusterIsPlannedThere(t *testing.T) {
	t.Parallel()
	r := estate(t, "prod", map[string]string{
		"clusters.yaml": `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {east: {id: E, bootstrap: {mtls: "e:1"}}, west: {id: W, bootstrap: {mtls: "w:1"}, connect: "https://connect"}}
environments: {prod: {default: east, pipes: west}}
`,
		"a": topicAB + "connectors: {sink: {cluster: pipes, config: {connector.class: a.B}}}",
	})
	if diff := cmp.Diff([]string{"east", "west"}, plan.Clusters(r)); diff != "" {
		t.Errorf("clusters (-want +got):\n%s", diff)
	}
	for cluster, want := range map[string]int{"east": 0, "west": 1} {
		if got := derive(t, r, cluster).Connectors; len(got) != want {
			t.Errorf("%s has %v", cluster, got)
		}
	}
	all, err := plan.Explain(r, sinkName)
	if err != nil || len(all) != 1 || all[0].Kind != "connector" || all[0].Cluster != "west" {
		t.Errorf("explained as %+v, %v", all, err)
	}
}

func TestAWorkerThatSharesOutItsWorkIsWaitedFor(t *testing.T) {
	t.Parallel()
	j := startConnect(t)
	want := piped(t, "a", "tasks.max: 1")
	j.worker.Busy(3)
	p := j.plan(t, want)
	j.worker.Busy(3)
	if err := j.apply(t, p); err != nil {
		t.Fatal(err)
	}
	if j.worker.Config(sinkName) == nil {
		t.Error("the connector is not there")
	}
}

// TestApplyLeavesNothingToDoWhateverTheConnectors draws settings, and what the
// worker has before.
func TestApplyLeavesNothingToDoWhateverTheConnectors(t *testing.T) {
	t.Parallel()
	j := startConnect(t)
	rapid.Check(t, func(rt *rapid.T) {
		service := fmt.Sprintf("c%d", life.Add(1))
		name := "svc-" + service + "-prod.sink"
		if rapid.Bool().Draw(rt, "foreign") {
			j.worker.Set(name, rapid.MapOf(rapid.SampledFrom([]string{"name", "topics", "x", "z.password"}), rapid.StringMatching(`[a-z]{0,3}`)).Draw(rt, "config"))
		}
		for range 2 {
			var config []string
			for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"x", "y.z", "errors.tolerance", "file"}), rapid.ID[string]).Draw(rt, "keys") {
				config = append(config, fmt.Sprintf("%s: %q", key, rapid.StringMatching(`[a-z ${}:]{0,6}`).Draw(rt, "value")))
			}
			config = append(config, fmt.Sprintf("tasks.max: %d", rapid.IntRange(1, 9).Draw(rt, "tasks")))
			want := piped(rt, service, strings.Join(config, ", "))
			p := j.plan(t, want)
			var allow []string
			if p.Summary().NeedAllow > 0 {
				allow = append(allow, "restart:"+name)
			}
			if err := j.apply(t, p, allow...); err != nil {
				rt.Fatalf("%v\n%s", err, text(p))
			}
			if left := j.plan(t, want); !left.Empty() {
				rt.Fatalf("after apply there is still\n%s", text(left))
			}
		}
	})
}

// TestASurveyDoesWithoutKafkaConnectThatIsAway plans where no contract has a
// connector, and one is left from before.
func TestASurveyDoesWithoutKafkaConnectThatIsAway(t *testing.T) {
	t.Parallel()
	j := startConnect(t)
	away := httptest.NewServer(nil)
	away.Close()
	gone, err := connect.New(connect.Config{URL: away.URL})
	if err != nil {
		t.Fatal(err)
	}
	j.worker.Set("svc-gone-prod.sink", map[string]string{"name": "svc-gone-prod.sink"})
	for name, tt := range map[string]struct {
		client  *connect.Client
		orphans int
	}{"there": {j.client, 1}, "away": {gone, 0}} {
		want := derive(t, pipe(t, "a", "tasks.max: 1", "connect: https://connect"), "east")
		want.ClusterID, want.Connectors = "", nil
		have, err := plan.Read(t.Context(), want, j.admin, j.registry, plan.WithConnect(tt.client))
		if err != nil {
			t.Fatal(err)
		}
		if err := have.Survey(t.Context(), j.admin, plan.WithConnect(tt.client)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := len(plan.Orphans(want, have)); got != tt.orphans {
			t.Errorf("%s: %d orphans, want %d", name, got, tt.orphans)
		}
	}
}
