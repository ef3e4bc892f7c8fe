package acl_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// denied is a denial as it comes out of a log.
func denied(principal string, op acl.Operation, kind acl.ResourceType, name string) acl.Denial {
	return acl.Denial{Principal: "User:" + principal, Operation: op, ResourceType: kind, Name: name, Count: 1}
}

// The estate that is advised on. The service s is what each case makes of it.
var advised = map[string]string{
	"clusters.yaml": "apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments: {dev: {default: embedded}, test: {default: embedded}}\n",
	"external.yaml": "apiVersion: slipway.dev/v1\nkind: External\ntopics: {crm.changed.v1: {}, crm.closed.v1: {readers: [], writers: [other]}}\ngroups: [their-group]\nprincipals: ['User:them']\n",
	"orders": "topics:\n  orders.created.v1: {key: id}\n  orders.closed.v1: {readers: [other]}\n  orders.shared.v1: {writers: [s]}\n" +
		"produces: {orders.created.v1: {via: transaction}}\nconsumes: {crm.changed.v1: {}}\n",
	"other": "",
}

func TestEveryDenialIsJudged(t *testing.T) {
	t.Parallel()
	const reads = "topics: {s.made.v1: {}}\nproduces: {s.made.v1: {}}\nconsumes: {orders.created.v1: {retry: {then: stop}}}\n"
	for name, tt := range map[string]struct {
		body   string
		denial acl.Denial
		want   acl.Verdict
		text   string // part of the advice
		place  string // where it is
		fixed  string // the contract that the advice leads to
	}{
		"the contract has it":      {reads, denied("svc-s-dev", acl.Read, acl.Topic, "orders.created.v1"), acl.Granted, "slipway apply grants it", "s/slipway.yaml:6:12", ""},
		"the contract implies it":  {reads, denied("svc-s-dev", acl.Describe, acl.Group, "svc-s-dev"), acl.Granted, "as group svc-s-dev", "s/slipway.yaml:6:12", ""},
		"an idempotent producer":   {reads, denied("svc-s-dev", acl.IdempotentWrite, acl.Cluster, acl.ClusterName), acl.Granted, "produces s.made.v1", "s/slipway.yaml:5:12", ""},
		"a redrive":                {"consumes: {orders.created.v1: {}}", denied("svc-s-dev-redrive", acl.Delete, acl.Topic, "svc-s-dev.orders.created.v1.dlq"), acl.Granted, "purge", "s/slipway.yaml:4:12", ""},
		"a redrive that does more": {reads, denied("svc-s-dev-redrive", acl.Read, acl.Topic, "orders.created.v1"), acl.Keep, "works on its dead letters", "", ""},
		"an idempotent producer of nothing": {
			"", denied("svc-s-dev", acl.IdempotentWrite, acl.Cluster, acl.ClusterName), acl.Declare, "add the topic it writes to produces of s", "s/slipway.yaml:1:1",
			"topics: {s.made.v1: {}}\nproduces: {s.made.v1: {}}",
		},
		"to read": {
			"", denied("svc-s-dev", acl.Read, acl.Topic, "orders.created.v1"), acl.Declare, "add orders.created.v1 to consumes of s", "s/slipway.yaml:1:1",
			"consumes: {orders.created.v1: {}}",
		},
		"to read of others": {
			"", denied("svc-s-dev", acl.Read, acl.Topic, "crm.changed.v1"), acl.Declare, "add crm.changed.v1 to consumes of s", "s/slipway.yaml:1:1",
			"consumes: {crm.changed.v1: {}}",
		},
		"to write": {
			"topics: {s.made.v1: {}}", denied("svc-s-dev", acl.Write, acl.Topic, "s.made.v1"), acl.Declare, "add s.made.v1 to produces of s", "s/slipway.yaml:1:1",
			"topics: {s.made.v1: {}}\nproduces: {s.made.v1: {}}",
		},
		"to write what others own": {
			"", denied("svc-s-dev", acl.Write, acl.Topic, "orders.shared.v1"), acl.Declare, "add orders.shared.v1 to produces of s", "s/slipway.yaml:1:1",
			"produces: {orders.shared.v1: {}}",
		},
		"to look": {
			"", denied("svc-s-dev", acl.Describe, acl.Topic, "orders.shared.v1"), acl.Declare, "to consumes of s, or to produces if it writes it", "s/slipway.yaml:1:1",
			"consumes: {orders.shared.v1: {}}",
		},
		"to look at what can only be read": {
			"", denied("svc-s-dev", acl.Describe, acl.Topic, "orders.created.v1"), acl.Declare, "add orders.created.v1 to consumes of s", "s/slipway.yaml:1:1",
			"consumes: {orders.created.v1: {}}",
		},
		"a reader that is not named":  {"", denied("svc-s-dev", acl.Read, acl.Topic, "orders.closed.v1"), acl.Keep, "readers of orders.closed.v1 are other: if s shall be one", "orders/slipway.yaml:6:3", ""},
		"a writer that is not named":  {"", denied("svc-s-dev", acl.Write, acl.Topic, "orders.created.v1"), acl.Keep, "writers of orders.created.v1 are orders", "orders/slipway.yaml:5:3", ""},
		"an external reader":          {"", denied("svc-s-dev", acl.Describe, acl.Topic, "crm.closed.v1"), acl.Keep, "readers of crm.closed.v1 are nobody", "external.yaml:3:30", ""},
		"to delete records":           {reads, denied("svc-s-dev", acl.Delete, acl.Topic, "orders.created.v1"), acl.Keep, "services delete no records", "s/slipway.yaml:6:1", ""},
		"to create a topic":           {reads, denied("svc-s-dev", acl.Create, acl.Topic, "s.made.v2"), acl.Keep, "declare it under topics", "s/slipway.yaml:4:1", ""},
		"to create any topic":         {reads, denied("svc-s-dev", acl.Create, acl.Cluster, acl.ClusterName), acl.Keep, "declare it under topics", "s/slipway.yaml:4:1", ""},
		"to read settings":            {reads, denied("svc-s-dev", acl.DescribeConfigs, acl.Topic, "s.made.v1"), acl.Keep, "read no settings", "", ""},
		"to change settings":          {reads, denied("svc-s-dev", acl.AlterConfigs, acl.Topic, "s.made.v1"), acl.Keep, "for no service", "", ""},
		"to delete a group":           {reads, denied("svc-s-dev", acl.Delete, acl.Group, "svc-s-dev"), acl.Keep, "delete no groups", "", ""},
		"to look at the cluster":      {reads, denied("svc-s-dev", acl.Describe, acl.Cluster, acl.ClusterName), acl.Keep, "for no service", "", ""},
		"a token":                     {reads, denied("svc-s-dev", acl.Describe, acl.DelegationToken, "t"), acl.Keep, "no service needs", "", ""},
		"a topic nobody declares":     {reads, denied("svc-s-dev", acl.Read, acl.Topic, "oders.created.v1"), acl.Keep, "no contract of environment dev has this topic", "", ""},
		"a topic of Kafka's":          {reads, denied("svc-s-dev", acl.Read, acl.Topic, "__consumer_offsets"), acl.Keep, "Kafka's own", "", ""},
		"another's retry topic":       {reads, denied("svc-s-dev", acl.Read, acl.Topic, "svc-orders-dev.crm.changed.v1.retry"), acl.Keep, "retry topic of orders for crm.changed.v1", "orders/slipway.yaml:9:1", ""},
		"its own dead letters":        {"consumes: {orders.created.v1: {}}", denied("svc-s-dev", acl.Read, acl.Topic, "svc-s-dev.orders.created.v1.dlq"), acl.Keep, "slipway dlq works on them as User:svc-s-dev-redrive", "s/slipway.yaml:4:1", ""},
		"a retry topic it has not":    {reads, denied("svc-s-dev", acl.Write, acl.Topic, "svc-s-dev.orders.created.v1.retry"), acl.Declare, "retry: {delays: …}", "s/slipway.yaml:6:32", "consumes: {orders.created.v1: {retry: {delays: [1s], then: stop}}}"},
		"dead letters it has not":     {reads, denied("svc-s-dev", acl.Write, acl.Topic, "svc-s-dev.orders.created.v1.dlq"), acl.Declare, "retry: {then: dead-letter}", "s/slipway.yaml:6:32", "consumes: {orders.created.v1: {}}"},
		"another's group":             {reads, denied("svc-s-dev", acl.Read, acl.Group, "svc-orders-dev"), acl.Keep, "group of orders", "orders/slipway.yaml:9:1", ""},
		"its redrive's group":         {"consumes: {orders.created.v1: {}}", denied("svc-s-dev", acl.Read, acl.Group, "svc-s-dev-redrive"), acl.Keep, "group of whoever redrives", "s/slipway.yaml:4:1", ""},
		"the lock":                    {reads, denied("svc-s-dev", acl.Read, acl.Group, "slipway-apply-dev"), acl.Keep, "lock", "", ""},
		"a group of others":           {reads, denied("svc-s-dev", acl.Read, acl.Group, "their-group"), acl.Keep, "external.yaml", "", ""},
		"a group without entries":     {"", denied("svc-s-dev", acl.Read, acl.Group, "svc-s-dev"), acl.Declare, "reads nothing in a group", "s/slipway.yaml:1:1", "consumes: {orders.created.v1: {}}"},
		"a suffix without entries":    {reads, denied("svc-s-dev", acl.Read, acl.Group, "svc-s-dev.audit"), acl.Declare, "group: audit", "s/slipway.yaml:6:1", "consumes: {orders.created.v1: {group: audit}}"},
		"a group from before":         {reads, denied("svc-s-dev", acl.Read, acl.Group, "old"), acl.Declare, "adopt: {group: …}", "s/slipway.yaml:1:1", "consumes: {orders.created.v1: {}}\nadopt: {group: old}"},
		"another group from before":   {"adopt: {group: old}", denied("svc-s-dev", acl.Read, acl.Group, "older"), acl.Keep, "the service's group is old", "s/slipway.yaml:4:9", ""},
		"transactions it has not":     {reads, denied("svc-s-dev", acl.Write, acl.TransactionalID, "svc-s-dev.0"), acl.Declare, "via: transaction", "s/slipway.yaml:5:1", "topics: {s.made.v1: {}}\nproduces: {s.made.v1: {via: transaction}}"},
		"another's transactions":      {reads, denied("svc-s-dev", acl.Write, acl.TransactionalID, "svc-orders-dev.0"), acl.Keep, "one of orders", "orders/slipway.yaml:8:1", ""},
		"an id from before":           {reads, denied("svc-s-dev", acl.Write, acl.TransactionalID, "tx-0"), acl.Declare, "transactionalPrefix", "s/slipway.yaml:1:1", "topics: {s.made.v1: {}}\nproduces: {s.made.v1: {via: transaction}}\nadopt: {transactionalPrefix: tx-}"},
		"another id from before":      {"adopt: {transactionalPrefix: a-}", denied("svc-s-dev", acl.Write, acl.TransactionalID, "tx-0"), acl.Keep, "begin with a-", "s/slipway.yaml:4:9", ""},
		"nobody":                      {reads, denied("ANONYMOUS", acl.Read, acl.Topic, "orders.created.v1"), acl.Keep, "did not log in", "", ""},
		"others":                      {reads, denied("them", acl.Read, acl.Topic, "orders.created.v1"), acl.Keep, "belongs to others", "", ""},
		"the wrong cluster":           {reads, denied("svc-s-test", acl.Read, acl.Topic, "orders.created.v1"), acl.Keep, "principal of environment test, and this is the cluster of dev", "", ""},
		"the wrong cluster's redrive": {reads, denied("svc-s-test-redrive", acl.Read, acl.Topic, "x"), acl.Keep, "principal of environment test", "", ""},
		"who is not known":            {reads, denied("svc-gone-dev", acl.Read, acl.Topic, "orders.created.v1"), acl.Keep, "write one if it is a service", "", ""},
		"who may be who applies":      {reads, denied("deployer", acl.Alter, acl.Cluster, acl.ClusterName), acl.Keep, "slipway acl bootstrap --principal User:deployer", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := acl.Advise(advisedEstate(t, tt.body), contract.Embedded, []acl.Denial{tt.denial})[0]
			if got.Verdict != tt.want || !strings.Contains(got.Text, tt.text) || got.Position.String() != tt.place {
				t.Errorf("%s: %q at %s,\nwant %s: %q at %s", got.Verdict, got.Text, got.Position, tt.want, tt.text, tt.place)
			}
			if (tt.fixed != "") != (tt.want == acl.Declare) {
				t.Fatal("a case must say what its advice leads to")
			}
			if tt.fixed == "" {
				return
			}
			after := acl.Advise(advisedEstate(t, tt.fixed), contract.Embedded, []acl.Denial{tt.denial})[0]
			if after.Verdict != acl.Granted {
				t.Errorf("after doing as advised: %s: %q", after.Verdict, after.Text)
			}
		})
	}
}

func advisedEstate(t *testing.T, body string) *contract.Resolved {
	files := maps.Clone(advised)
	files["s"] = body
	return estate(t, "dev", files)
}

func TestAnExplicitDenialIsNotAMissingRight(t *testing.T) {
	t.Parallel()
	r := advisedEstate(t, "consumes: {orders.created.v1: {}}")
	has, lacks := denied("svc-s-dev", acl.Read, acl.Topic, "orders.created.v1"), denied("svc-s-dev", acl.Read, acl.Topic, "crm.changed.v1")
	has.Explicit, lacks.Explicit = true, true
	got := acl.Advise(r, contract.Embedded, []acl.Denial{has, lacks})
	if got[0].Verdict != acl.Granted || !strings.Contains(got[0].Text, "DENY wins over it") {
		t.Errorf("what the contract has: %+v", got[0])
	}
	if got[1].Verdict != acl.Keep || !strings.Contains(got[1].Text, "DENY") {
		t.Errorf("what it has not: %+v", got[1])
	}
}

func TestAdviceNamesTopicsAsContractsDo(t *testing.T) {
	t.Parallel()
	r := estate(t, "staging", map[string]string{"clusters.yaml": sharedCluster, "orders": orders, "s": ""})
	got := acl.Advise(r, "one", []acl.Denial{
		denied("svc-s-staging", acl.Read, acl.Topic, "staging.orders.created.v1"),
		denied("svc-s-staging", acl.Read, acl.Topic, "orders.created.v1"),
	})
	if got[0].Verdict != acl.Declare || got[0].Text != "add orders.created.v1 to consumes of s" {
		t.Errorf("with the prefix: %+v", got[0])
	}
	if got[1].Verdict != acl.Keep {
		t.Errorf("without the prefix, which is no topic of the environment: %+v", got[1])
	}
}

// TestAdviceAgreesWithWhatIsDerived asks about everything that anybody in an
// estate could try: what is derived is granted, and nothing else is.
func TestAdviceAgreesWithWhatIsDerived(t *testing.T) {
	t.Parallel()
	checked := 0
	rapid.Check(t, func(t *rapid.T) {
		r := anyEstate(t)
		grants := acl.Derive(r)
		var denials []acl.Denial
		for _, who := range grants {
			for _, what := range grants {
				for _, op := range acl.Operations(what.ResourceType) {
					denials = append(denials, acl.Denial{Principal: who.Principal, Operation: op, ResourceType: what.ResourceType, Name: what.Name})
				}
			}
		}
		denials = denials[:min(len(denials), 2000)]
		here := slices.DeleteFunc(slices.Clone(grants), func(g acl.Grant) bool { return g.Cluster != "one" })
		rules := acl.NewRules(bindings(here))
		for i, got := range acl.Advise(r, "one", denials) {
			d := denials[i]
			want := rules.Decide(acl.Request{Principal: d.Principal, Host: "h", Operation: d.Operation, ResourceType: d.ResourceType, Name: d.Name}).Allowed
			if (got.Verdict == acl.Granted) != want || got.Text == "" {
				t.Fatalf("%s: %s, %q, and derived is %t", d, got.Verdict, got.Text, want)
			}
			checked++
		}
	})
	t.Logf("%d denials judged as derived", checked)
}
