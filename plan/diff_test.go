package plan_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// settled is the actual state that is just as desired.
func settled(want *plan.Desired) *plan.Actual {
	have := &plan.Actual{
		ClusterID: want.ClusterID, Brokers: 3,
		Topics:   map[string]kafka.Topic{},
		Users:    map[string][]kafka.Credential{},
		Subjects: map[string]plan.SubjectState{},
	}
	for _, t := range want.Topics {
		is := kafka.Topic{Name: t.Name, Partitions: t.Partitions, Replicas: t.Replicas, Configs: map[string]string{
			kafka.RetentionMillis: "604800000", kafka.MaxMessageBytes: "1048588",
		}}
		maps.Copy(is.Configs, t.Configs)
		have.Topics[t.Name] = is
	}
	for _, u := range want.Users {
		have.Users[u.Name] = []kafka.Credential{{User: u.Name, Mechanism: u.Mechanism, Iterations: 4096}}
	}
	have.Bindings = map[binding]bool{}
	for _, g := range want.Grants {
		have.Bindings[g.Binding] = true
	}
	have.Groups = map[string]map[string]string{}
	for _, g := range want.Groups {
		have.Groups[g.Name] = maps.Clone(g.Configs)
	}
	for _, s := range want.Subjects {
		have.Subjects[s.Name] = plan.SubjectState{Level: s.Level, Registered: true}
	}
	return have
}

func TestNothingChangesWhereAllIsAsDesired(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if p := diff(t, want, settled(want)); !p.Empty() {
		t.Errorf("plan is not empty:\n%s", text(p))
	}
}

func TestEveryDifferenceHasItsClass(t *testing.T) {
	t.Parallel()
	const created, reserved, stock, dlq = "orders.created.v1", "inventory.reserved.v1", "inventory.stock.v1", "svc-orders-dev.payments.confirmed.v1.dlq"
	const retry = "svc-orders-dev.payments.confirmed.v1.retry"
	topic := func(name string, change func(*kafka.Topic)) func(*plan.Actual) {
		return func(a *plan.Actual) {
			t := a.Topics[name]
			change(&t)
			a.Topics[name] = t
		}
	}
	config := func(name, key, value string) func(*plan.Actual) {
		return topic(name, func(t *kafka.Topic) { t.Configs[key] = value })
	}
	subject := func(change func(*plan.SubjectState)) func(*plan.Actual) {
		return func(a *plan.Actual) {
			s := a.Subjects[created+"-value"]
			change(&s)
			a.Subjects[created+"-value"] = s
		}
	}
	// The broker may have deleted records by then, which a note says.
	forgot := map[string]bool{"a retry topic that forgets": true, "a retry topic with a limit": true, "a retry topic that is compacted": true}
	for name, tt := range map[string]struct {
		change func(*plan.Actual)
		want   string
		allow  string
	}{
		"a topic is missing": {func(a *plan.Actual) { delete(a.Topics, stock) },
			"+ topic inventory.stock.v1 partitions=3, replicas=3, cleanup.policy=compact, max.message.bytes=2097152, min.insync.replicas=2 [safe]", ""},
		"too few brokers for its replicas": {func(a *plan.Actual) { delete(a.Topics, stock); a.Brokers = 2 },
			"! topic inventory.stock.v1 partitions=3, replicas=3, cleanup.policy=compact, max.message.bytes=2097152, min.insync.replicas=2 [impossible]", ""},
		"more partitions under keys": {topic(reserved, func(t *kafka.Topic) { t.Partitions = 2 }),
			"~ topic inventory.reserved.v1 partitions 2 → 3 [disruptive]", "repartition:inventory.reserved.v1"},
		"more partitions, protected": {topic(created, func(t *kafka.Topic) { t.Partitions = 2 }),
			"! topic orders.created.v1 partitions 2 → 3 [impossible]", ""},
		"fewer partitions": {topic(reserved, func(t *kafka.Topic) { t.Partitions = 12 }),
			"! topic inventory.reserved.v1 partitions 12 → 3 [impossible]", ""},
		"dead letters keep their partitions": {topic(dlq, func(t *kafka.Topic) { t.Partitions = 1 }), "", ""},
		"a retry topic follows its source": {topic(retry, func(t *kafka.Topic) { t.Partitions = 2 }),
			"~ topic svc-orders-dev.payments.confirmed.v1.retry partitions 2 → 3 [safe]", ""},
		"a retry topic with more than its source": {topic(retry, func(t *kafka.Topic) { t.Partitions = 9 }), "", ""},
		"a retry topic that forgets": {config(retry, kafka.RetentionMillis, "604800000"),
			"~ topic svc-orders-dev.payments.confirmed.v1.retry retention.ms 604800000 → -1 [safe]", ""},
		"a retry topic with a limit": {config(retry, "retention.bytes", "1073741824"),
			"~ topic svc-orders-dev.payments.confirmed.v1.retry retention.bytes 1073741824 → -1 [safe]", ""},
		"a retry topic that is compacted": {config(retry, kafka.CleanupPolicy, "compact"),
			"~ topic svc-orders-dev.payments.confirmed.v1.retry cleanup.policy compact → delete [safe]", ""},
		"a retry topic with the producer's times": {config(retry, "message.timestamp.type", "CreateTime"),
			"~ topic svc-orders-dev.payments.confirmed.v1.retry message.timestamp.type CreateTime → LogAppendTime [safe]", ""},
		"a retry topic that takes less than its source": {config(retry, kafka.MaxMessageBytes, "1048588"),
			"~ topic svc-orders-dev.payments.confirmed.v1.retry max.message.bytes 1048588 → 1114112 [safe]", ""},
		"a derived topic that takes more than it must": {config(dlq, kafka.MaxMessageBytes, "8388608"), "", ""},
		"other replicas": {topic(created, func(t *kafka.Topic) { t.Replicas = 1 }),
			"~ topic orders.created.v1 replicas 1 → 3 [disruptive]", "replicas:orders.created.v1"},
		"more replicas than brokers": {func(a *plan.Actual) {
			a.Brokers = 2
			topic(created, func(t *kafka.Topic) { t.Replicas = 2 })(a)
		},
			"! topic orders.created.v1 replicas 2 → 3 [impossible]", ""},
		"longer retention": {config(created, kafka.RetentionMillis, "3600000"),
			"~ topic orders.created.v1 retention.ms 3600000 → 604800000 [safe]", ""},
		"shorter retention": {config(created, kafka.RetentionMillis, "-1"),
			"~ topic orders.created.v1 retention.ms -1 → 604800000 [destructive]", "retention:orders.created.v1"},
		"retention without an opinion": {config(reserved, kafka.RetentionMillis, "5"), "", ""},
		"other cleanup": {config(stock, kafka.CleanupPolicy, "delete"),
			"~ topic inventory.stock.v1 cleanup.policy delete → compact [destructive]", "cleanup:inventory.stock.v1"},
		"larger messages": {config(stock, kafka.MaxMessageBytes, "1048588"),
			"~ topic inventory.stock.v1 max.message.bytes 1048588 → 2097152 [safe]", ""},
		"smaller messages": {config(stock, kafka.MaxMessageBytes, "4194304"),
			"~ topic inventory.stock.v1 max.message.bytes 4194304 → 2097152 [disruptive]", "max-message:inventory.stock.v1"},
		"other min.insync.replicas": {config(stock, kafka.MinInsyncReplicas, "1"),
			"~ topic inventory.stock.v1 min.insync.replicas 1 → 2 [disruptive]", "min-insync:inventory.stock.v1"},
		"a setting nobody asked for": {config(stock, "segment.ms", "1"), "", ""},
		"a user is missing":          {func(a *plan.Actual) { delete(a.Users, "svc-orders-dev") }, "+ user svc-orders-dev mechanism=scram-sha-512 [safe]", ""},
		"a user of another mechanism": {func(a *plan.Actual) { a.Users["svc-orders-dev"][0].Mechanism = contract.SCRAMSHA256 },
			"+ user svc-orders-dev mechanism=scram-sha-512 [safe]", ""},
		"a user with more iterations": {func(a *plan.Actual) { a.Users["svc-orders-dev"][0].Iterations = 16384 }, "", ""},
		"an ACL is missing": {func(a *plan.Actual) {
			for b := range a.Bindings {
				if b.Name == stock {
					delete(a.Bindings, b)
				}
			}
		}, "+ acl User:svc-inventory-dev WRITE TOPIC inventory.stock.v1 [safe]", ""},
		"an ACL nobody asked for": {func(a *plan.Actual) { a.Bindings[binding{Principal: "User:eve", Name: "*"}] = true }, "", ""},
		"a subject without level": {subject(func(s *plan.SubjectState) { s.Level = "" }),
			"+ subject orders.created.v1-value compatibility=backward_transitive [safe]", ""},
		"a stricter level": {subject(func(s *plan.SubjectState) { s.Level = contract.Backward }),
			"~ subject orders.created.v1-value compatibility backward → backward_transitive [safe]", ""},
		"a looser level": {subject(func(s *plan.SubjectState) { s.Level = contract.FullTransitive }),
			"~ subject orders.created.v1-value compatibility full_transitive → backward_transitive [disruptive]", "compatibility:orders.created.v1-value"},
		"a level for the other side": {subject(func(s *plan.SubjectState) { s.Level = contract.Forward }),
			"~ subject orders.created.v1-value compatibility forward → backward_transitive [disruptive]", "compatibility:orders.created.v1-value"},
		"a new schema": {subject(func(s *plan.SubjectState) { s.Registered = false }),
			"+ schema orders.created.v1-value format=avro, sha256=2c0f15e80c9b [safe]", ""},
		"an incompatible schema": {subject(func(s *plan.SubjectState) {
			s.Registered, s.Incompatible = false, []string{"READER_FIELD_MISSING_DEFAULT_VALUE: /fields/1"}
		}), "! schema orders.created.v1-value format=avro, sha256=2c0f15e80c9b [impossible]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := derive(t, shop(t, "dev"), contract.Embedded)
			have := settled(want)
			tt.change(have)
			p := diff(t, want, have)
			var got, allow string
			switch len(p.Changes) {
			case 0:
			case 1:
				got, allow = p.Changes[0].String(), p.Changes[0].Allow
			default:
				t.Fatalf("more than one change:\n%s", text(p))
			}
			if got != tt.want || allow != tt.allow {
				t.Errorf("change is %q with --allow %q,\nwant %q with %q", got, allow, tt.want, tt.allow)
			}
			if len(p.Changes) == 1 && (p.Changes[0].Class != plan.Safe || forgot[name]) != (p.Changes[0].Note != "") {
				t.Errorf("class %s with note %q", p.Changes[0].Class, p.Changes[0].Note)
			}
		})
	}
}

func TestAnUnkeyedTopicGrowsWithoutLeave(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{"a": "topics: {a.b.v1: {partitions: 9}}"})
	want := derive(t, r, contract.Embedded)
	have := settled(want)
	have.Topics["a.b.v1"] = kafka.Topic{Name: "a.b.v1", Partitions: 3, Replicas: 3, Configs: want.Topics[0].Configs}
	if p := diff(t, want, have); len(p.Changes) != 1 || p.Changes[0].Class != plan.Safe {
		t.Errorf("plan is\n%swant one safe change", text(p))
	}
}

func TestALevelThatIsAboutToChangeDoesNotJudgeTheSchema(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	have := settled(want)
	have.Subjects["orders.created.v1-value"] = plan.SubjectState{Level: contract.FullTransitive, Incompatible: []string{"no"}}
	for _, c := range diff(t, want, have).Changes {
		if c.Class == plan.Impossible {
			t.Errorf("%s", c)
		}
	}
}

// TestTheShareOfKeysThatMove holds the figures of a simulation: a key stays
// only if its hash leaves the same remainder by both numbers.
func TestTheShareOfKeysThatMove(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to int
		want     string
	}{{6, 12, "50%"}, {6, 9, "67%"}, {3, 4, "75%"}, {1, 2, "50%"}, {1, 100, "99%"}, {5, 6, "83%"}} {
		r := estate(t, "dev", map[string]string{"a": "topics: {a.b.v1: {key: id}}"})
		want := derive(t, r, contract.Embedded)
		want.Topics[0].Partitions = tt.to
		have := settled(want)
		is := have.Topics["a.b.v1"]
		is.Partitions = tt.from
		have.Topics["a.b.v1"] = is
		p := diff(t, want, have)
		if got := p.Changes[0].Note[:3]; got != tt.want {
			t.Errorf("%d to %d: %s of the keys move, want %s", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestAnotherClusterThanThePinnedOneIsRefused(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "prod"), "kafka-prod")
	have := settled(want)
	have.ClusterID = "elsewhere"
	_, err := plan.Diff(want, have)
	if !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanWrongCluster) {
		t.Errorf("Diff() = %v, want ErrRefused and %s", err, diag.PlanWrongCluster)
	}
}

func TestTheHashNamesThePlan(t *testing.T) {
	t.Parallel()
	want := derive(t, shop(t, "dev"), contract.Embedded)
	hash := func(change func(*plan.Actual)) string {
		have := settled(want)
		change(have)
		return diff(t, want, have).Hash
	}
	got := map[string]string{
		"empty":            hash(func(*plan.Actual) {}),
		"a topic":          hash(func(a *plan.Actual) { delete(a.Topics, "orders.created.v1") }),
		"another topic":    hash(func(a *plan.Actual) { delete(a.Topics, "inventory.stock.v1") }),
		"another cluster":  hash(func(a *plan.Actual) { a.ClusterID = "x" }),
		"another setting":  hash(func(a *plan.Actual) { a.Topics["inventory.stock.v1"].Configs[kafka.MaxMessageBytes] = "1" }),
		"a setting beside": hash(func(a *plan.Actual) { a.Topics["inventory.stock.v1"].Configs[kafka.MaxMessageBytes] = "2" }),
	}
	seen := map[string]string{}
	for name, h := range got {
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
	if again := hash(func(*plan.Actual) {}); again != got["empty"] {
		t.Error("the same plan has another hash the second time")
	}
}

func TestDeriveSaysWhatIsWrongWithTheEstate(t *testing.T) {
	t.Parallel()
	r := shop(t, "dev")
	if _, err := plan.Derive(r, "kafka-nowhere"); !errors.Is(err, diag.PlanUnknownCluster) {
		t.Errorf("Derive() = %v, want %s", err, diag.PlanUnknownCluster)
	}
	r.Service("orders").Topics["orders.created.v1"].Schema.File = "schemas/absent.avsc"
	if _, err := plan.Derive(r, contract.Embedded); !errors.Is(err, diag.PlanSchemaMissing) {
		t.Errorf("Derive() = %v, want %s", err, diag.PlanSchemaMissing)
	}
	shared := estate(t, "dev", map[string]string{"a": "topics: {a.b.v1: {}}"})
	for _, name := range []string{"b", "c"} {
		shared.Services = append(shared.Services, &contract.Service{
			Name: name, Env: "dev", Adopt: &contract.Adopt{Group: "one"},
			Consumes: map[string]*contract.Consume{"a.b.v1": {Topic: "a.b.v1"}},
		})
	}
	if _, err := plan.Derive(shared, contract.Embedded); !errors.Is(err, diag.ACLGroupShared) {
		t.Errorf("Derive() = %v, want %s", err, diag.ACLGroupShared)
	}
}

func TestEachClusterOfAnEnvironmentHasItsOwnPlan(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"clusters.yaml": "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  far: {id: abc, bootstrap: {scram: \"kafka.example:9094\"}, defaults: {replicas: 2}}\nenvironments: {dev: {default: embedded, metrics: far}}",
		"a":             "identity: {auth: scram-sha-512}\ntopics: {a.here.v1: {}, a.far.v1: {cluster: metrics}}\nproduces: {a.here.v1: {}, a.far.v1: {cluster: metrics}}",
		"b":             "identity: {auth: scram-sha-512}\ntopics: {b.here.v1: {}}",
	})
	if diff := cmp.Diff([]string{"embedded", "far"}, plan.Clusters(r)); diff != "" {
		t.Errorf("clusters (-want +got):\n%s", diff)
	}
	got := map[string][]string{}
	for _, cluster := range plan.Clusters(r) {
		want := derive(t, r, cluster)
		for _, c := range diff(t, want, &plan.Actual{ClusterID: want.ClusterID, Brokers: 3}).Changes {
			got[cluster] = append(got[cluster], string(c.Kind)+" "+c.Name)
		}
	}
	want := map[string][]string{
		"embedded": {"topic a.here.v1", "topic b.here.v1", "user svc-a-dev", "user svc-b-dev", "acl User:svc-a-dev WRITE TOPIC a.here.v1"},
		"far":      {"topic a.far.v1", "user svc-a-dev", "acl User:svc-a-dev WRITE TOPIC a.far.v1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
