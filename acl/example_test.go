package acl_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
)

func ExampleDerive() {
	e, _ := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(`
apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
topics: {orders.created.v1: {}, orders.seen.v1: {}}
produces:
  orders.created.v1: {via: transaction}
consumes:
  orders.seen.v1: {retry: {then: stop}}
`)}}, ".")
	r, _ := e.In("dev")
	for _, g := range acl.Derive(r) {
		fmt.Printf("%s\n  because %s\n", g.Binding, g.Reasons[0])
	}
	// Output:
	// User:svc-orders-dev READ GROUP svc-orders-dev
	//   because orders consumes orders.seen.v1 as group svc-orders-dev (slipway.yaml:9:3)
	// User:svc-orders-dev WRITE TOPIC orders.created.v1
	//   because orders produces orders.created.v1 (slipway.yaml:7:3)
	// User:svc-orders-dev READ TOPIC orders.seen.v1
	//   because orders consumes orders.seen.v1 as group svc-orders-dev (slipway.yaml:9:3)
	// User:svc-orders-dev WRITE TRANSACTIONAL_ID svc-orders-dev.*
	//   because orders produces orders.created.v1 in transactions (slipway.yaml:7:3)
}
