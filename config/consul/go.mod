module github.com/slipway-go/slipway/config/consul

go 1.26.0

replace github.com/slipway-go/slipway => ../..

require (
	github.com/google/go-cmp v0.7.0
	github.com/slipway-go/slipway v0.0.0
	go.uber.org/goleak v1.3.0
)

require go.yaml.in/yaml/v4 v4.0.0 // indirect
