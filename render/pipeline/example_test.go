package pipeline_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/pipeline"
)

// The root of a repository gets a workflow for all contracts and one for each
// service.
func ExampleTarget() {
	estate, _ := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
workload: {image: ghcr.io/shop/orders}
`)}}, ".")
	files, err := pipeline.Target().Files(render.Input{Estate: estate, Environment: "dev"})
	for _, f := range files {
		fmt.Println(f.Path)
	}
	fmt.Println(err)
	// Output:
	// .github/workflows/_slipway.yaml
	// .github/workflows/orders.yaml
	// <nil>
}
