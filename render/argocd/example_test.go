package argocd_test

import (
	"fmt"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/argocd"
)

// A service that has a workload gets an Application.
func ExampleTarget() {
	estate, _ := contract.Load(platform(git+"}"), ".")
	files, err := argocd.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range files {
		fmt.Println(f.Path)
	}
	// Output:
	// applications/audit.yaml
	// applications/orders.yaml
	// applicationset/applicationset.yaml
	// appproject.yaml
	// namespace.yaml
}
