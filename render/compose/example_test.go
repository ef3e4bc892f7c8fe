package compose_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/compose"
)

// An environment whose cluster has no nodes on this machine is not rendered, and the
// answer says what is missing.
func Example() {
	estate, _ := contract.Load(fstest.MapFS{
		"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n")},
	}, ".")
	_, err := compose.Target().Files(render.Input{Estate: estate, Environment: "dev"})
	for _, d := range diag.Of(err) {
		fmt.Println(d.Message)
	}
	// Output: environment dev is on embedded, which has no nodes that could be set up
}
