package consul_test

import (
	"fmt"

	"github.com/slipway-go/slipway/config/consul"
)

// A service takes what is below config/orders, and follows it.
func ExampleNew() {
	source, err := consul.New(consul.Config{
		Address:   "https://consul.example:8501",
		Prefix:    "config/orders",
		TokenFile: "/etc/consul/token",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(source.Name()) // in main: serve.Service{Sources: []config.Source{source}}
	// Output: consul
}
