package autoscaling_test

import (
	"fmt"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/autoscaling"
)

// A service whose number of instances moves gets a component for its overlay.
func ExampleTarget() {
	estate, _ := contract.Load(setting{body: "consumes: {orders.made.v1: {}}\nworkload: {scale: {min: 2, max: auto}}"}.files(), ".")
	files, err := autoscaling.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range files {
		fmt.Println(f.Path)
	}
	// Output:
	// stock/kustomization.yaml
	// stock/scaledobject.yaml
	// stock/triggerauthentication.yaml
}
