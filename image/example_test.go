package image_test

import (
	"fmt"

	"github.com/slipway-go/slipway/image"
)

func ExampleSource() {
	fmt.Println(image.Source("git@git.example.com:shop/orders.git"))
	// Output: https://git.example.com/shop/orders
}
