package contract_test

import (
	"os"
	"testing"

	"github.com/slipway-go/slipway/contract"
)

// TestDerivedNamesBeginWithTheIdentity holds every derived name to the form
// that rights, dashboards and people rely on.
func TestDerivedNamesBeginWithTheIdentity(t *testing.T) {
	t.Parallel()
	s := &contract.Service{Name: "inventory", Env: "prod"}
	c := &contract.Consume{Topic: "orders.created.v1"}
	suffixed := &contract.Consume{Topic: "orders.created.v1", Group: "audit"}
	adopted := &contract.Service{Name: "inventory", Env: "prod", Adopt: &contract.Adopt{Group: "legacy", Principal: "CN=old", TransactionalPrefix: "tx-", ClientID: "old-client"}}
	for name, tt := range map[string]struct{ got, want string }{
		"principal":              {s.Principal(), "User:svc-inventory-prod"},
		"group":                  {s.GroupID(c), "svc-inventory-prod"},
		"group with a suffix":    {s.GroupID(suffixed), "svc-inventory-prod.audit"},
		"client id":              {s.ClientID("0"), "svc-inventory-prod.0"},
		"transactional ids":      {s.TransactionalPrefix(), "svc-inventory-prod."},
		"retry":                  {s.RetryTopic(c), "svc-inventory-prod.orders.created.v1.retry"},
		"dead letters":           {s.DeadLetterTopic(suffixed), "svc-inventory-prod.audit.orders.created.v1.dlq"},
		"redrive":                {s.RedrivePrincipal(), "User:svc-inventory-prod-redrive"},
		"redrive's own group":    {s.RedriveUser(), "svc-inventory-prod-redrive"},
		"redrive of an adopted":  {adopted.RedriveUser(), "svc-inventory-prod-redrive"},
		"subject":                {contract.Subject("orders.created.v1"), "orders.created.v1-value"},
		"adopted group":          {adopted.GroupID(c), "legacy"},
		"adopted principal":      {adopted.Principal(), "User:CN=old"},
		"adopted transactional":  {adopted.TransactionalPrefix(), "tx-"},
		"adopted client id":      {adopted.ClientID("0"), "old-client.0"},
		"retry is never adopted": {adopted.RetryTopic(c), "svc-inventory-prod.orders.created.v1.retry"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", name, tt.got, tt.want)
		}
	}
}

// TestATopicPrefixKeepsEnvironmentsApart asks for names on the cluster.
func TestATopicPrefixKeepsEnvironmentsApart(t *testing.T) {
	t.Parallel()
	e, list := contract.Load(os.DirFS("testdata"), "estate")
	if list != nil {
		t.Fatal(list)
	}
	e.Clusters.Environments["test"] = map[string]contract.Binding{"default": {Cluster: contract.Local, TopicPrefix: "test."}}
	r, list := e.In("test")
	if list != nil {
		t.Fatal(list)
	}
	if got := r.PhysicalTopic("default", "orders.created.v1"); got != "test.orders.created.v1" {
		t.Errorf("an owned topic: got %s", got)
	}
	if got := r.PhysicalTopic("default", "customers.changed.v1"); got != "test.customers.changed.v1" {
		t.Errorf("an external topic: got %s", got)
	}
	if r.ClusterName("") != contract.Local || r.Cluster(contract.Local).Defaults.Replicas != 3 || r.Cluster("nowhere") != nil {
		t.Errorf("clusters: %s, %+v", r.ClusterName(""), r.Cluster(contract.Local))
	}
	if s := r.Service("payments"); s == nil || s.AuthOn(contract.Embedded) != contract.SCRAMSHA512 || r.Service("nobody") != nil {
		t.Errorf("services: %+v", s)
	}
}
