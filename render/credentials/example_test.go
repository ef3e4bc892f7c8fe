package credentials_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/credentials"
)

// cert-manager is asked for what slipway pki issue would make.
func ExampleCertManager() {
	estate, _ := contract.Load(fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka-prod: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093"}}
environments: {prod: {default: kafka-prod}}
platform: {prod: {credentials: {from: cert-manager, issuer: ClusterIssuer/kafka}}}
`)},
		"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
workload: {image: registry.example.com/orders:v1}
`)},
	}, ".")
	files, err := credentials.CertManager().Files(render.Input{Estate: estate, Environment: "prod"})
	for _, f := range files {
		fmt.Println(f.Path)
	}
	fmt.Println(err)
	// Output:
	// README.md
	// orders/certificate.yaml
	// orders/kustomization.yaml
	// <nil>
}
