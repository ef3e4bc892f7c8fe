package acl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

// stock consumes what orders produces, and sends on in transactions.
func stock(t *testing.T) *contract.Resolved {
	return estate(t, "dev", map[string]string{
		"orders": orders,
		"stock": "topics: {stock.changed.v1: {}}\nproduces:\n  stock.changed.v1: {via: transaction}\n" +
			"consumes:\n  orders.created.v1: {retry: {then: stop}}",
	})
}

const cluster = contract.Embedded

func TestAnExplanationNamesTheContractAndWhatClientsSee(t *testing.T) {
	t.Parallel()
	const (
		produces = "allow User:svc-stock-dev WRITE TOPIC stock.changed.v1"
		txns     = "allow User:svc-stock-dev WRITE TRANSACTIONAL_ID svc-stock-dev.*"
		consumes = "allow User:svc-stock-dev READ TOPIC orders.created.v1"
		group    = "allow User:svc-stock-dev READ GROUP svc-stock-dev"
	)
	for name, tt := range map[string]struct {
		live    []string
		ask     string
		outcome acl.Outcome
		calls   string   // the first entry that calls for it
		want    []string // parts of advice and notes, in any order
		without []string
	}{
		"as its contract says": {[]string{produces, txns}, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Allowed,
			"stock produces stock.changed.v1 (stock/slipway.yaml:6:3)", nil, []string{"also needs", "no contract"}},
		"what follows from it too": {[]string{produces}, "svc-stock-dev DESCRIBE TOPIC stock.changed.v1", acl.Allowed,
			"stock produces stock.changed.v1 (stock/slipway.yaml:6:3)", nil, []string{"no contract"}},
		"called for, and not granted yet": {nil, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Refused,
			"stock produces stock.changed.v1 (stock/slipway.yaml:6:3)", []string{"slipway apply grants it", "gets CLUSTER_AUTHORIZATION_FAILED when it asks for its id"}, nil},
		"a producer of something else": {[]string{"allow User:svc-stock-dev WRITE TOPIC other"}, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Refused,
			"stock produces stock.changed.v1 (stock/slipway.yaml:6:3)", nil, []string{"CLUSTER_AUTHORIZATION_FAILED"}},
		"a producer with the old right": {[]string{"allow User:svc-stock-dev IDEMPOTENT_WRITE CLUSTER kafka-cluster"}, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Refused,
			"stock produces stock.changed.v1 (stock/slipway.yaml:6:3)", nil, []string{"CLUSTER_AUTHORIZATION_FAILED"}},
		"the old right itself": {nil, "svc-stock-dev IDEMPOTENT_WRITE CLUSTER kafka-cluster", acl.Refused,
			"", []string{"since Kafka 2.8 nobody needs it"}, nil},
		"no contract would": {nil, "svc-stock-dev WRITE TOPIC orders.created.v1", acl.Refused,
			"", []string{"orders.created.v1"}, nil},
		"no service": {nil, "svc-stok-dev WRITE TOPIC stock.changed.v1", acl.Refused, "", []string{"no contract of environment dev has this principal"}, nil},
		"allowed by nobody's contract": {[]string{"allow User:svc-stock-dev DELETE TOPIC stock.changed.v1"}, "svc-stock-dev DELETE TOPIC stock.changed.v1", acl.Allowed,
			"", []string{"no contract calls for it: slipway acl check"}, nil},
		"a DENY of what is called for": {[]string{consumes, group, "deny User:* READ TOPIC orders.*"}, "svc-stock-dev READ TOPIC orders.created.v1", acl.Refused,
			"stock consumes orders.created.v1 as group svc-stock-dev (stock/slipway.yaml:8:3)", []string{"to take the DENY away: kafka-acls.sh", "--remove --deny-principal 'User:*'", "permission DENY"}, nil},
		"a topic without its group": {[]string{consumes}, "svc-stock-dev READ TOPIC orders.created.v1", acl.Allowed,
			"stock consumes orders.created.v1 as group svc-stock-dev (stock/slipway.yaml:8:3)", []string{"it also needs READ on group `svc-stock-dev`, and that is refused: no rule is about it at all"}, nil},
		"a topic without transactional ids": {[]string{produces}, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Allowed,
			"stock produces stock.changed.v1 (stock/slipway.yaml:6:3)", []string{"it also needs WRITE on transactional id `svc-stock-dev.`"}, nil},
		"a hidden topic": {nil, "svc-stock-dev READ TOPIC orders.created.v1", acl.Refused,
			"stock consumes orders.created.v1 as group svc-stock-dev (stock/slipway.yaml:8:3)", []string{"asked for by name it gives TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PARTITION", "allow.everyone.if.no.acl.found"}, nil},
		"a topic hidden by a DENY": {[]string{consumes, group, "deny User:svc-stock-dev DESCRIBE TOPIC orders.created.v1"}, "svc-stock-dev READ TOPIC orders.created.v1", acl.Allowed,
			"stock consumes orders.created.v1 as group svc-stock-dev (stock/slipway.yaml:8:3)", []string{"clients ask for DESCRIBE before they read, and a DENY takes it away"}, nil},
		"a topic that is there to be seen": {[]string{produces}, "svc-stock-dev READ TOPIC stock.changed.v1", acl.Refused, "", nil, []string{"UNKNOWN_TOPIC", "allow.everyone"}},
		"a transactional id": {nil, "svc-stock-dev WRITE TRANSACTIONAL_ID svc-stock-dev.7", acl.Refused,
			"stock produces stock.changed.v1 in transactions (stock/slipway.yaml:6:3)", []string{"TRANSACTIONAL_ID_AUTHORIZATION_FAILED"}, nil},
		"creating by the cluster's right": {[]string{"allow User:deployer CREATE CLUSTER kafka-cluster"}, "deployer CREATE TOPIC t", acl.Refused,
			"", []string{"CREATE on the cluster is enough"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := acl.Explain(stock(t), cluster, acl.NewRules(rules(t, tt.live...)), question(t, tt.ask))
			if e.Outcome != tt.outcome || e.Source != acl.FromBindings {
				t.Errorf("%s by %s: %s", e.Outcome, e.Source, e.Text)
			}
			calls := ""
			if len(e.Calls) > 0 {
				calls = e.Calls[0].Reasons[0].String()
			}
			if calls != tt.calls {
				t.Errorf("called for by %q, want %q", calls, tt.calls)
			}
			requireParts(t, e, tt.want, tt.without)
		})
	}
}

func requireParts(t *testing.T, e acl.Explanation, want, without []string) {
	t.Helper()
	all := slices.Clone(e.Notes)
	if e.Advice != nil {
		all = append(all, e.Advice.Text)
	}
	text := strings.Join(all, "\n")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
	for _, w := range without {
		if strings.Contains(text, w) {
			t.Errorf("%q in\n%s", w, text)
		}
	}
}

func TestAServiceLearnsOfItselfOnlyWhatIsProven(t *testing.T) {
	t.Parallel()
	topic := acl.Operations(acl.Topic)
	for name, tt := range map[string]struct {
		proof acl.Proof
		ask   string
		want  acl.Outcome
		text  string
		parts []string
	}{
		"allowed": {acl.Proof{Operations: []acl.Operation{acl.Describe, acl.Write}, Told: topic}, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Allowed,
			"the cluster says that this login may do: DESCRIBE, WRITE", nil},
		"refused": {acl.Proof{Operations: []acl.Operation{acl.Describe, acl.Read}, Told: topic}, "svc-stock-dev WRITE TOPIC stock.changed.v1", acl.Refused,
			"the cluster says that this login may do: DESCRIBE, READ", []string{"CLUSTER_AUTHORIZATION_FAILED", "slipway apply grants it"}},
		"nothing at all": {acl.Proof{Told: topic}, "svc-stock-dev DELETE TOPIC stock.changed.v1", acl.Refused, "the cluster says that this login may do: nothing", []string{"UNKNOWN_TOPIC_OR_PARTITION"}},
		"hidden": {acl.Proof{Told: []acl.Operation{acl.Describe}}, "svc-stock-dev READ TOPIC orders.created.v1", acl.Refused,
			"the cluster refuses DESCRIBE, which READ would imply", []string{"UNKNOWN_TOPIC_OR_PARTITION"}},
		"hidden, and not implied": {acl.Proof{Told: []acl.Operation{acl.Describe}}, "svc-stock-dev CREATE TOPIC orders.created.v1", acl.Unknown,
			"the cluster tells a client only of DESCRIBE on a topic", nil},
		"a transactional id": {acl.Proof{Operations: []acl.Operation{acl.Describe}, Told: []acl.Operation{acl.Describe}}, "svc-stock-dev WRITE TRANSACTIONAL_ID svc-stock-dev.7", acl.Unknown,
			"the cluster tells a client only of DESCRIBE on a transactional id", []string{"would fence one that lives"}},
		"a transactional id of others": {acl.Proof{Told: []acl.Operation{acl.Describe}}, "svc-stock-dev WRITE TRANSACTIONAL_ID other", acl.Refused,
			"the cluster refuses DESCRIBE, which WRITE would imply", []string{"transactional"}},
		"a transactional id, DESCRIBE": {acl.Proof{Operations: []acl.Operation{acl.Describe}, Told: []acl.Operation{acl.Describe}}, "svc-stock-dev DESCRIBE TRANSACTIONAL_ID svc-stock-dev.7", acl.Allowed,
			"the cluster says that this login may do: DESCRIBE", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := acl.ExplainSelf(stock(t), cluster, question(t, tt.ask), tt.proof)
			if e.Outcome != tt.want || e.Text != tt.text || e.Source != acl.FromProof {
				t.Errorf("%s: %q, want %s: %q", e.Outcome, e.Text, tt.want, tt.text)
			}
			requireParts(t, e, tt.parts, nil)
		})
	}
}

func TestAServiceCanAskWhereThereAreNoContracts(t *testing.T) {
	t.Parallel()
	e := acl.ExplainSelf(nil, "", question(t, "svc-stock-dev WRITE TOPIC t"), acl.Proof{Told: []acl.Operation{acl.Write, acl.Describe}})
	if e.Outcome != acl.Refused || e.Advice != nil || e.Calls != nil {
		t.Errorf("%+v", e)
	}
}

func TestATopicsNameInContractsIsNotItsNameOnTheCluster(t *testing.T) {
	t.Parallel()
	r := estate(t, "staging", map[string]string{"orders": orders, "clusters.yaml": sharedCluster, "external.yaml": crm})
	for name, want := range map[string]bool{
		"orders.created.v1": true, "crm.changed.v1": true, "staging.orders.created.v1": false, "unknown.v1": false,
	} {
		q := question(t, "svc-orders-staging WRITE TOPIC "+name)
		for _, e := range []acl.Explanation{acl.Explain(r, "one", acl.NewRules(nil), q), acl.ExplainSelf(r, "one", q, acl.Proof{})} {
			hint := "the topic that contracts call `" + name + "` is `staging." + name + "`"
			if got := strings.Contains(strings.Join(e.Notes, "\n"), hint); got != want {
				t.Errorf("%s by %s: told of another name %t, want %t: %q", name, e.Source, got, want, e.Notes)
			}
		}
	}
}

// The list of what Kafka asks for on each type of resource is what completion,
// refusals of misspelt operations and the matrix of tests go by.
func TestOperationsAreSortedAndTheCallersOwn(t *testing.T) {
	t.Parallel()
	for _, kind := range []acl.ResourceType{acl.Topic, acl.Group, acl.TransactionalID, acl.Cluster, acl.DelegationToken, acl.User} {
		ops := acl.Operations(kind)
		if len(ops) == 0 || !slices.IsSorted(ops) {
			t.Errorf("%s: %v", kind, ops)
		}
		ops[0] = "changed"
		if diff := cmp.Diff(ops[1:], acl.Operations(kind)[1:]); diff != "" || acl.Operations(kind)[0] == "changed" {
			t.Errorf("%s: a change of the answer changes the next one", kind)
		}
	}
}
