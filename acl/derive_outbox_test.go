package acl_test

import (
	"testing"
	"testing/fstest"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

const relayed = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-orders}
identity: {auth: scram-sha-512}
topics: {orders.placed.v1: {key: order_id}, orders.seen.v1: {key: order_id}}
produces: {orders.placed.v1: {via: outbox}, orders.seen.v1: {}}
outbox: {relay: debezium, database: {host: db, name: orders, user: cdc, password: "${file:/db:password}"}}
`

// Where Debezium relays an outbox the right to write the topic is the Connect
// workers', and the service has none.
func TestARelayedTopicIsWrittenByTheConnectorAlone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		connect string
		want    map[string]string // who writes which topic
	}{
		"a principal that is known":     {`{url: "http://connect:8083", principal: connect-workers}`, map[string]string{"orders.placed.v1": "User:connect-workers", "svc-orders-prod.outbox.heartbeat": "User:connect-workers", "orders.seen.v1": "User:svc-orders-prod"}},
		"a principal that is not known": {`{url: "http://connect:8083"}`, map[string]string{"orders.seen.v1": "User:svc-orders-prod"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, list := contract.Load(fstest.MapFS{
				"orders/slipway.yaml": {Data: []byte(relayed)},
				"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters: {east: {id: E, bootstrap: {scram: "e:1"}, connect: ` + tt.connect + `}}
environments: {prod: {default: east}}
`)},
			}, ".")
			if list.Failed() {
				t.Fatal(list.Err())
			}
			r, list := e.In("prod")
			if list.Failed() {
				t.Fatal(list.Err())
			}
			got := map[string]string{}
			for _, g := range acl.Derive(r) {
				if g.Operation == acl.Write {
					got[g.Name] += g.Principal
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("writers are %v, want %v", got, tt.want)
			}
			for topic, who := range tt.want {
				if got[topic] != who {
					t.Errorf("%s is written by %q, want %q", topic, got[topic], who)
				}
			}
		})
	}
}
