package config_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
)

// A service's configuration is put together from its files and the
// environment, and every value tells where it is from.
func Example() {
	files := fstest.MapFS{
		"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: payments, owner: team-money}
config:
  fraud.threshold: {type: number, default: 0.5, min: 0, max: 1, live: true}
`)},
		"config/common.yaml": {Data: []byte("log: {format: json, level: debug}\n")},
		"config/prod.yaml":   {Data: []byte("log: {level: warn}\n")},
	}
	service, problems := contract.Parse(files, "slipway.yaml")
	if err := problems.Err(); err != nil {
		fmt.Println(err)
		return
	}
	loader, err := config.New(config.Config{
		Contract: service,
		Files:    files,
		Environ:  []string{"ENVIRONMENT=prod", "SLIPWAY_FRAUD_THRESHOLD=0.8"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := loader.Load(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("look at payments from", values.Float("fraud.threshold"))
	for _, v := range values.All() {
		if !v.Default {
			fmt.Println(v.Key, "=", v.Text, "from", v.Source)
		}
	}
	// Output:
	// look at payments from 0.8
	// fraud.threshold = 0.8 from variable SLIPWAY_FRAUD_THRESHOLD
	// log.format = json from config/common.yaml:1:15
	// log.level = warn from config/prod.yaml:1:14
}
