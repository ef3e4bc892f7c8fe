package rpc_test

import (
	"fmt"
	"testing/fstest"

	"google.golang.org/grpc"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/serve/rpc"
)

// A service whose contract has no port for gRPC is told so when it is wired.
func ExampleServe() {
	app, err := slipway.New(slipway.Config{
		Files: fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: greeter, owner: team-greeting}
workload: {image: registry.example.com/greeter, http: 8080}
`)}},
		Environment: slipway.Environment{Name: "dev"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = rpc.Serve(app, func(s *grpc.Server) { /* shopv1.RegisterGreeterServer(s, …) */ })
	fmt.Println(err)
	// Output: SLP-HLT-011: the code of greeter serves gRPC and its contract has no workload.grpc
}
