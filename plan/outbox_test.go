package plan_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/acl"
)

// An outbox that Debezium relays is a connector and a right of its workers: both
// are planned, each with the entry of the contract that it follows from, and
// the password is a reference on the way, too.
func TestAnOutboxRelayedByDebeziumIsPlanned(t *testing.T) {
	t.Parallel()
	want := derive(t, estate(t, "prod", map[string]string{
		"clusters.yaml": `apiVersion: slipway.dev/v1
kind: Clusters
clusters: {east: {id: E, bootstrap: {mtls: "e:1"}, connect: {url: "http://connect:8083", principal: connect-workers}}}
environments: {prod: {default: {cluster: east, topicPrefix: prod-}}}
`,
		"a": `topics: {a.events.v1: {key: id}}
produces: {a.events.v1: {via: outbox}}
outbox: {relay: debezium, database: {host: db, name: a, user: cdc, password: "${file:/db:password}"}}
`,
	}), "east")
	if len(want.Connectors) != 1 {
		t.Fatalf("connectors are %+v, want one", want.Connectors)
	}
	c := want.Connectors[0]
	if c.Name != "svc-a-prod.outbox" || len(c.Reasons) != 1 || !strings.Contains(c.Reasons[0].Text, "relayed by Debezium") || c.Reasons[0].Position.Line == 0 {
		t.Errorf("the connector is %s because of %v", c.Name, c.Reasons)
	}
	if got := c.Config["database.password"]; got != "${file:/db:password}" {
		t.Errorf("its password is %q, want the reference", got)
	}
	var writers []string
	for _, g := range want.Grants {
		if g.Operation == acl.Write && g.ResourceType == acl.Topic {
			writers = append(writers, g.Principal+" "+g.Name)
		}
	}
	if strings.Join(writers, ", ") != "User:connect-workers prod-a.events.v1, User:connect-workers svc-a-prod.outbox.heartbeat" {
		t.Errorf("writers are %q, want the workers alone", writers)
	}
}
