package istio_test

import (
	"fmt"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/istio"
)

// A service gets a component for its overlay.
func ExampleTarget() {
	estate, _ := contract.Load(meshed(tokens, "http: 8080, access: {callers: [carts], scopes: [orders.write]}"), ".")
	files, err := istio.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range files {
		fmt.Println(f.Path)
	}
	// Output:
	// orders/authorizationpolicy.yaml
	// orders/destinationrule.yaml
	// orders/kustomization.yaml
	// orders/peerauthentication.yaml
	// orders/requestauthentication.yaml
	// orders/virtualservice.yaml
}
