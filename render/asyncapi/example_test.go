package asyncapi_test

import (
	"fmt"

	"github.com/slipway-go/slipway/render/asyncapi"
)

// A document that was written by hand becomes a contract, and a list of what it does
// not say.
func ExampleParse() {
	draft, problems := asyncapi.Parse("orders.yaml", []byte(`asyncapi: 3.0.0
info: {title: orders, version: "1", contact: {name: team-shop}}
channels:
  created: {address: orders.created.v1}
operations:
  placed: {action: send, channel: {$ref: '#/channels/created'}}
`))
	if err := problems.Err(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(draft.Service, draft.Files[0].Path)
	for _, open := range draft.Open {
		fmt.Println("-", open)
	}
	// Output:
	// orders slipway.yaml
	// - identity.auth: mtls, which is the default, or scram-sha-512
	// - topics.orders.created.v1.key: the field of the value that is the key, if records of one key are to stay in order
	// - topics.orders.created.v1.partitions: the cluster's default, unless it is written here
	// - topics.orders.created.v1.readers: any service, unless some are named
}
