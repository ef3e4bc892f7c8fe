package strimzi_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/strimzi"
)

// A service gets a user with its rights, its topics, and those that wait beside what
// it consumes.
func ExampleTarget() {
	estate, _ := contract.Load(fstest.MapFS{
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  kafka-prod: {id: MkU3OEVBNTcwNTJENDM2Qk, bootstrap: {mtls: "kafka.example:9093"}}
environments: {prod: {default: kafka-prod}}
platform: {prod: {strimzi: {cluster: events}}}
`)},
		"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-shop}
topics: {orders.created.v1: {key: id}}
produces: {orders.created.v1: {}}
consumes: {orders.created.v1: {retry: {delays: [1s], then: stop}}}
`)},
	}, ".")
	files, err := strimzi.Target().Files(render.Input{Estate: estate, Environment: "prod"})
	for _, f := range files {
		fmt.Println(f.Path)
	}
	fmt.Println(err)
	// Output:
	// kustomization.yaml
	// topics/orders.created.v1.yaml
	// topics/svc-orders-prod.orders.created.v1.retry.yaml
	// users/svc-orders-prod.yaml
	// <nil>
}
