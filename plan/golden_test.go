package plan_test

import (
	"encoding/json"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
)

func TestThePlanOfANewShop(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ env, cluster string }{
		"dev":     {"dev", contract.Embedded},
		"prod":    {"prod", "kafka-prod"},
		"staging": {"staging", "kafka-shared"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := derive(t, shop(t, tt.env), tt.cluster)
			p := diff(t, want, &plan.Actual{ClusterID: want.ClusterID, Brokers: 3})
			golden(t, "shop-"+name+".txt", text(p))
		})
	}
}

func TestThePlanAsJSON(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{"orders": "topics: {orders.created.v1: {key: id, retention: 7d}}\nproduces: {orders.created.v1: {}}"})
	p := diff(t, derive(t, r, contract.Embedded), &plan.Actual{ClusterID: "abc", Brokers: 3})
	got, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.json", string(got)+"\n")
}
