package acl_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// estate resolves contracts given by the lines below their metadata. A name
// that ends in .yaml is a file of its own.
func estate(t testing.TB, env string, services map[string]string) *contract.Resolved {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, body := range services {
		if strings.HasSuffix(name, ".yaml") {
			fsys[name] = &fstest.MapFile{Data: []byte(body)}
			continue
		}
		text := fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: team}\n%s\n", name, body)
		fsys[name+"/slipway.yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	e, list := contract.Load(fsys, ".")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	r, list := e.In(env)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

func lines(grants []acl.Grant) []string {
	text := []string{}
	for _, g := range grants {
		text = append(text, g.Binding.String())
	}
	return text
}

const orders = "topics: {orders.created.v1: {key: id, partitions: 3}}\nproduces: {orders.created.v1: {}}"

func TestEachIntentGetsItsBindingsAndNoOther(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want []string
	}{
		"owning a topic grants nothing": {"topics: {a.b.v1: {}}", []string{}},
		"produce": {"topics: {a.b.v1: {}}\nproduces: {a.b.v1: {}}", []string{
			"User:svc-s-dev WRITE TOPIC a.b.v1",
		}},
		"produce through the own outbox": {"topics: {a.b.v1: {}}\nproduces: {a.b.v1: {via: outbox}}", []string{
			"User:svc-s-dev WRITE TOPIC a.b.v1",
		}},
		"produce in transactions": {"topics: {a.b.v1: {}}\nproduces: {a.b.v1: {via: transaction}}", []string{
			"User:svc-s-dev WRITE TOPIC a.b.v1",
			"User:svc-s-dev WRITE TRANSACTIONAL_ID svc-s-dev.*",
		}},
		"consume": {"consumes: {orders.created.v1: {}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive WRITE TOPIC svc-s-dev.orders.created.v1.retry",
		}},
		"consume with delays": {"consumes: {orders.created.v1: {retry: {delays: [1s]}}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive WRITE TOPIC svc-s-dev.orders.created.v1.retry",
		}},
		"consume and stop": {"consumes: {orders.created.v1: {retry: {then: stop}}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ TOPIC orders.created.v1",
		}},
		"consume with a backoff, then stop": {"consumes: {orders.created.v1: {retry: {backoff: {}, then: stop}}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.retry",
		}},
		"consume and park": {"consumes: {orders.created.v1: {retry: {then: park}}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive WRITE TOPIC svc-s-dev.orders.created.v1.retry",
		}},
		"share group": {"consumes: {orders.created.v1: {as: share, order: none}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.orders.created.v1.dlq",
		}},
		"table": {"consumes: {orders.created.v1: {as: table}}", []string{
			"User:svc-s-dev READ TOPIC orders.created.v1",
		}},
		"two groups on one topic": {"consumes: {orders.created.v1: {}, again: {topic: orders.created.v1, group: audit, retry: {then: stop}}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ GROUP svc-s-dev.audit",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive WRITE TOPIC svc-s-dev.orders.created.v1.retry",
		}},
		"a retry topic for each group": {"consumes: {orders.created.v1: {retry: {delays: [1s], then: stop}}, again: {topic: orders.created.v1, group: audit, retry: {then: park}}}", []string{
			"User:svc-s-dev READ GROUP svc-s-dev",
			"User:svc-s-dev READ GROUP svc-s-dev.audit",
			"User:svc-s-dev READ TOPIC orders.created.v1",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.audit.orders.created.v1.dlq",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.audit.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.audit.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.audit.orders.created.v1.retry",
			"User:svc-s-dev DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev WRITE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.audit.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.audit.orders.created.v1.dlq",
			"User:svc-s-dev-redrive WRITE TOPIC svc-s-dev.audit.orders.created.v1.retry",
		}},
		"redrive of an adopted principal": {"consumes: {orders.created.v1: {}}\nadopt: {principal: old-user}", []string{
			"User:old-user READ GROUP svc-s-dev",
			"User:old-user READ TOPIC orders.created.v1",
			"User:old-user WRITE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:old-user DELETE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:old-user READ TOPIC svc-s-dev.orders.created.v1.retry",
			"User:old-user WRITE TOPIC svc-s-dev.orders.created.v1.retry",
			"User:svc-s-dev-redrive READ GROUP svc-s-dev-redrive",
			"User:svc-s-dev-redrive DELETE TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive READ TOPIC svc-s-dev.orders.created.v1.dlq",
			"User:svc-s-dev-redrive WRITE TOPIC svc-s-dev.orders.created.v1.retry",
		}},
		"adopted names": {"topics: {a.b.v1: {}}\nproduces: {a.b.v1: {via: transaction}}\nconsumes: {orders.created.v1: {retry: {then: stop}}}\n" +
			"adopt: {group: old-group, principal: old-user, transactionalPrefix: old-tx-}", []string{
			"User:old-user READ GROUP old-group",
			"User:old-user WRITE TOPIC a.b.v1",
			"User:old-user READ TOPIC orders.created.v1",
			"User:old-user WRITE TRANSACTIONAL_ID old-tx-*",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := estate(t, "dev", map[string]string{"s": tt.body, "orders": orders})
			got := lines(acl.ForService(r, r.Service("s")))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("bindings (-want +got):\n%s", diff)
			}
			want := append([]string{"User:svc-orders-dev WRITE TOPIC orders.created.v1"}, tt.want...)
			slices.Sort(want)
			whole := lines(acl.Derive(r))
			slices.Sort(whole)
			if diff := cmp.Diff(want, whole); diff != "" {
				t.Errorf("bindings of the estate (-want +got):\n%s", diff)
			}
		})
	}
}

const sharedCluster = `apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  one: {id: abc, bootstrap: {mtls: "kafka.example:9093"}}
  two: {id: def, bootstrap: {mtls: "other.example:9093"}}
environments:
  dev: {default: embedded}
  staging: {default: {cluster: one, topicPrefix: staging.}, far: two}
`

const crm = `apiVersion: slipway.dev/v1
kind: External
topics: {crm.changed.v1: {partitions: 2}}
`

func TestATopicPrefixIsPartOfEveryNameInAContract(t *testing.T) {
	t.Parallel()
	r := estate(t, "staging", map[string]string{
		"orders":        orders,
		"s":             "consumes: {orders.created.v1: {}, crm.changed.v1: {as: table}}",
		"clusters.yaml": sharedCluster,
		"external.yaml": crm,
	})
	want := []string{
		"User:svc-orders-staging WRITE TOPIC staging.orders.created.v1",
		"User:svc-s-staging READ GROUP svc-s-staging",
		"User:svc-s-staging READ TOPIC staging.crm.changed.v1",
		"User:svc-s-staging READ TOPIC staging.orders.created.v1",
		"User:svc-s-staging WRITE TOPIC svc-s-staging.orders.created.v1.dlq",
		"User:svc-s-staging DELETE TOPIC svc-s-staging.orders.created.v1.retry",
		"User:svc-s-staging READ TOPIC svc-s-staging.orders.created.v1.retry",
		"User:svc-s-staging WRITE TOPIC svc-s-staging.orders.created.v1.retry",
		"User:svc-s-staging-redrive READ GROUP svc-s-staging-redrive",
		"User:svc-s-staging-redrive DELETE TOPIC svc-s-staging.orders.created.v1.dlq",
		"User:svc-s-staging-redrive READ TOPIC svc-s-staging.orders.created.v1.dlq",
		"User:svc-s-staging-redrive WRITE TOPIC svc-s-staging.orders.created.v1.retry",
	}
	if diff := cmp.Diff(want, lines(acl.Derive(r))); diff != "" {
		t.Errorf("bindings (-want +got):\n%s", diff)
	}
}

func TestABindingIsForTheClusterOfItsEntry(t *testing.T) {
	t.Parallel()
	r := estate(t, "staging", map[string]string{
		"clusters.yaml": sharedCluster,
		"orders":        orders,
		"s":             "topics: {far.away.v1: {cluster: far}}\nproduces: {far.away.v1: {cluster: far}}\nconsumes: {orders.created.v1: {retry: {then: stop}}}",
	})
	got := map[string][]string{}
	for _, g := range acl.Derive(r) {
		got[g.Cluster] = append(got[g.Cluster], g.Binding.String())
	}
	want := map[string][]string{
		"one": {
			"User:svc-orders-staging WRITE TOPIC staging.orders.created.v1",
			"User:svc-s-staging READ GROUP svc-s-staging",
			"User:svc-s-staging READ TOPIC staging.orders.created.v1",
		},
		"two": {"User:svc-s-staging WRITE TOPIC far.away.v1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bindings (-want +got):\n%s", diff)
	}
}

func TestReasonsCiteTheContract(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"orders": orders,
		"s":      "consumes:\n  orders.created.v1: {}\n  again: {topic: orders.created.v1, group: audit}",
	})
	var got []string
	for _, g := range acl.ForService(r, r.Service("s")) {
		if g.Name == "orders.created.v1" {
			for _, reason := range g.Reasons {
				got = append(got, reason.String())
			}
		}
	}
	want := []string{
		"s consumes orders.created.v1 as group svc-s-dev (s/slipway.yaml:5:3)",
		"s consumes orders.created.v1 as group svc-s-dev.audit (s/slipway.yaml:6:3)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// TestTheRightToDeleteSaysWhatElseItAllows reads the reasons of the two rights
// that are wider than their use, because Kafka has no narrower ones.
func TestTheRightToDeleteSaysWhatElseItAllows(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{"orders": orders, "s": "consumes: {orders.created.v1: {retry: {delays: [1m]}}}"})
	var got []string
	for _, g := range acl.Derive(r) {
		if g.Operation == acl.Delete {
			got = append(got, g.Name+": "+g.Reasons[0].String())
		}
	}
	want := []string{
		"svc-s-dev.orders.created.v1.retry: s trims the retry topic of orders.created.v1 (the right would also let it delete that one topic, which only it uses) (s/slipway.yaml:4:12)",
		"svc-s-dev.orders.created.v1.dlq: s lets an operator purge dead letters of orders.created.v1 (the right would also let them delete that one topic) (s/slipway.yaml:4:12)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestServicesNeverShareGroupsOrTransactionalIDs(t *testing.T) {
	t.Parallel()
	txn := func(topic, prefix string) string {
		return fmt.Sprintf("topics: {%[1]s: {}}\nproduces: {%[1]s: {via: transaction}}\nadopt: {transactionalPrefix: %[2]s}", topic, prefix)
	}
	group := func(adopt string) string {
		return "consumes: {orders.created.v1: {retry: {then: stop}}}\nadopt: {" + adopt + "}"
	}
	for name, tt := range map[string]struct {
		services map[string]string
		want     []diag.Code
	}{
		"own names":            {map[string]string{"a": txn("a.a.v1", "a-"), "b": txn("b.b.v1", "b-")}, nil},
		"the same prefix":      {map[string]string{"a": txn("a.a.v1", "x-"), "b": txn("b.b.v1", "x-")}, []diag.Code{diag.ACLTransactionalShared}},
		"a prefix of a prefix": {map[string]string{"a": txn("a.a.v1", "x"), "b": txn("b.b.v1", "x-b-")}, []diag.Code{diag.ACLTransactionalShared}},
		"one over two that are apart": {map[string]string{"a": txn("a.a.v1", "x"), "b": txn("b.b.v1", "x-a-"), "c": txn("c.c.v1", "x-b-")},
			[]diag.Code{diag.ACLTransactionalShared, diag.ACLTransactionalShared}},
		"the same group":                    {map[string]string{"orders": orders, "a": group("group: shared"), "b": group("group: shared")}, []diag.Code{diag.ACLGroupShared}},
		"a group that begins another's":     {map[string]string{"orders": orders, "a": group("group: shared"), "b": group("group: shared-b")}, nil},
		"a group that is another's redrive": {map[string]string{"orders": orders, "a": "consumes: {orders.created.v1: {}}", "b": group("group: svc-a-dev-redrive")}, []diag.Code{diag.ACLGroupShared}},
		"the same group as one principal":   {map[string]string{"orders": orders, "a": group("group: shared, principal: p"), "b": group("group: shared, principal: p")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []diag.Code
			for _, d := range acl.Conflicts(acl.Derive(estate(t, "dev", tt.services))) {
				got = append(got, d.Code)
				if d.Position.Line == 0 || len(d.Evidence) != 2 {
					t.Errorf("%s: position %v and evidence %q, want a line and both entries", d, d.Position, d.Evidence)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}
