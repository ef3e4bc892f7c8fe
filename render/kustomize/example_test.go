package kustomize_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/kustomize"
)

func ExampleTarget() {
	estate, problems := contract.Load(fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  events: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093"}, cidrs: [10.20.0.0/16]}
environments:
  prod: {default: events}
`)},
		"orders/slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
workload: {image: "registry.example.com/orders:v1.4.0", http: 8080}
`)},
	}, ".")
	if problems.Failed() {
		fmt.Println(problems)
		return
	}
	files, err := kustomize.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files {
		fmt.Println(f.Path)
	}
	// Output:
	// _namespace/prod/kustomization.yaml
	// _namespace/prod/namespace.yaml
	// orders/base/deployment.yaml
	// orders/base/kustomization.yaml
	// orders/base/poddisruptionbudget.yaml
	// orders/base/service.yaml
	// orders/base/serviceaccount.yaml
	// orders/components/podmonitor/kustomization.yaml
	// orders/components/podmonitor/podmonitor.yaml
	// orders/overlays/prod/config/prod.yaml
	// orders/overlays/prod/kustomization.yaml
	// orders/overlays/prod/networkpolicy.yaml
	// orders/overlays/prod/patch-deployment.yaml
	// orders/overlays/prod/variables.env
}
