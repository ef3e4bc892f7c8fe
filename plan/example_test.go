package plan_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
)

func ExampleDiff() {
	e, _ := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(`
apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
topics:
  orders.created.v1: {key: order_id, partitions: 6}
produces:
  orders.created.v1: {}
`)}}, ".")
	estate, _ := e.In("dev")
	want, err := plan.Derive(estate, contract.Embedded)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := plan.Diff(want, &plan.Actual{Brokers: 3}) // an empty cluster; plan.Read looks at a real one
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range p.Changes {
		fmt.Printf("%s\n    because %s\n", c, c.Reasons[0])
	}
	fmt.Println(p.Summary())
	// Output:
	// + topic orders.created.v1 partitions=6, replicas=3, cleanup.policy=delete, min.insync.replicas=2 [safe]
	//     because orders owns orders.created.v1 (slipway.yaml:6:3)
	// + user svc-orders-dev mechanism=scram-sha-512 [safe]
	//     because orders logs in with scram-sha-512, which stands in for mtls there (slipway.yaml:2:1)
	// + acl User:svc-orders-dev WRITE TOPIC orders.created.v1 [safe]
	//     because orders produces orders.created.v1 (slipway.yaml:8:3)
	// Plan: 3 to add, 0 to change, 0 to delete.
}
