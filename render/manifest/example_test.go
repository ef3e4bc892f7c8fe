package manifest_test

import (
	"fmt"

	"github.com/slipway-go/slipway/render/manifest"
)

func ExampleYAML() {
	object := manifest.Object("v1", "ConfigMap", "orders", "shop", manifest.Map{manifest.E(manifest.NameLabel, "orders")},
		manifest.E("data", manifest.Map{
			manifest.E("ENVIRONMENT", "no").From("the overlay"),
			manifest.If(false, manifest.E("DEBUG", "true")),
		}))
	fmt.Print(string(manifest.YAML("The variables of orders.", object)))
	// Output:
	// # The variables of orders.
	// apiVersion: v1
	// kind: ConfigMap
	// metadata:
	//   name: orders
	//   namespace: shop
	//   labels:
	//     app.kubernetes.io/name: orders
	// data:
	//   ENVIRONMENT: "no" # the overlay
}
