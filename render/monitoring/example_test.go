package monitoring_test

import (
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/monitoring"
)

// What a contract promises becomes alerts.
func ExampleRules() {
	estate, _ := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: stock, owner: team-goods}
consumes: {orders.v1: {}}
slo: {lag: 1000}
`)}}, ".")
	r, _ := estate.In("dev")
	for _, g := range monitoring.Rules(render.Input{Estate: estate, Environment: "dev"}, r, r.Services[0]) {
		for _, rule := range g.Rules {
			if rule.Alert == "SlipwayLagAboveObjective" {
				fmt.Println(rule.Why[0])
				fmt.Println(rule.Expr)
			}
		}
	}
	// Output:
	// slo.lag is 1000: slipway.yaml:5:7
	// sum by (consumer_group, topic) (kafka_consumer_lag{service="stock",environment="dev"}) > 1000
}
