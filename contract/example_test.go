package contract_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
)

func Example() {
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(`
apiVersion: slipway.dev/v1
kind: Service
metadata: {name: inventory, owner: team-warehouse}
consumes:
  orders.created.v1:
    retry: {delays: [1s, 30s]}
environments:
  dev:
    consumes: {orders.created.v1: {concurrency: 4}}
`)}}
	service, faults := contract.Parse(files, "slipway.yaml")
	if faults.Failed() {
		fmt.Println(faults)
		return
	}
	dev, _ := service.In("dev")
	entry := dev.Consumes["orders.created.v1"]
	fmt.Println(dev.GroupID(entry), entry.Concurrency, entry.Retry.Attempts())
	fmt.Println(dev.RetryTopic(entry))
	fmt.Println(dev.Position("consumes/orders.created.v1/concurrency"))
	// Output:
	// svc-inventory-dev 4 3
	// svc-inventory-dev.orders.created.v1.retry
	// slipway.yaml:10:36
}

func ExampleParse() {
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(`
apiVersion: slipway.dev/v1
kind: Service
metadata: {name: inventory, owner: team-warehouse}
consumes:
  orders.created.v1: {concurency: 64, timeout: 10}
`)}}
	_, faults := contract.Parse(files, "slipway.yaml")
	for _, d := range faults {
		fmt.Printf("%v: %s\n  fix: %s\n", d.Position, d.Message, d.Remedy())
	}
	// Output:
	// slipway.yaml:6:23: consumes/orders.created.v1: unknown key concurency
	//   fix: did you mean concurrency?
	// slipway.yaml:6:48: consumes/orders.created.v1/timeout: 10: it has no unit
	//   fix: write 10s for seconds or 10ms for milliseconds
}
