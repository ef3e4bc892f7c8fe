package rendertest_test

import (
	"testing"

	"github.com/slipway-go/slipway/render/rendertest"
)

func TestEveryEstateIsValidAndHasSomethingToRender(t *testing.T) {
	t.Parallel()
	for _, name := range rendertest.Estates() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estate := rendertest.Estate(t, name)
			for _, env := range []string{"dev", "prod"} {
				if _, found := estate.Clusters.Environments[env]; found {
					return
				}
			}
			t.Errorf("%s has neither dev nor prod: %v", name, estate.Clusters.Environments)
		})
	}
}

func TestTheShopIsTheOneOfTheExamples(t *testing.T) {
	t.Parallel()
	resolved, problems := rendertest.Estate(t, "shop").In("prod")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	orders := resolved.Service("orders")
	if orders == nil || orders.Workload.Scale.Min != 2 || orders.Topics["orders.created.v1"] == nil {
		t.Errorf("orders in prod = %+v", orders)
	}
}
