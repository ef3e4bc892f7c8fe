package broker_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/broker"
)

// A node of clusters.yaml becomes a file of settings.
func Example() {
	estate, _ := contract.Load(fstest.MapFS{
		"slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: orders, owner: team-shop}\n")},
		"clusters.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  desk:
    id: Y29tcG9zZS1jbHVzdGVyMQ
    bootstrap: {mtls: "localhost:9093"}
    defaults: {replicas: 1}
    nodes: {kafka-1: {roles: [broker, controller], hosts: [localhost]}}
environments:
  dev: {default: desk}
`)},
	}, ".")
	files, err := broker.Target().Files(render.Input{Estate: estate, Environment: "dev"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files {
		fmt.Println(f.Path)
	}
	// Output: desk/kafka-1/server.properties
}
