package order_test

import (
	"testing"

	"example.com/shop/orders/order"
)

// said is one word of inventory or of payments.
type said struct {
	stock    string // "" if payments speaks
	sequence int64
	payment  string
}

func TestStateFollowsFromWhatWasHeardInAnyOrderBetweenTopics(t *testing.T) {
	t.Parallel()
	reserved, committed, released := said{stock: "RESERVED", sequence: 1}, said{stock: "COMMITTED", sequence: 2}, said{stock: "RELEASED", sequence: 2}
	confirmed, declined := said{payment: "CONFIRMED"}, said{payment: "DECLINED"}
	for name, tt := range map[string]struct {
		heard []said
		want  order.State
	}{
		"nothing yet":           {nil, order.Pending},
		"reserved":              {[]said{reserved}, order.Pending},
		"no stock":              {[]said{{stock: "REJECTED", sequence: 1}}, order.Rejected},
		"paid, not committed":   {[]said{reserved, confirmed}, order.Pending},
		"as it mostly comes":    {[]said{reserved, confirmed, committed}, order.Confirmed},
		"payment comes first":   {[]said{confirmed, reserved, committed}, order.Confirmed},
		"payment comes last":    {[]said{reserved, committed, confirmed}, order.Confirmed},
		"declined":              {[]said{reserved, declined, released}, order.Declined},
		"declined, told late":   {[]said{reserved, released, declined}, order.Declined},
		"declined, told early":  {[]said{declined, reserved, released}, order.Declined},
		"declined, still taken": {[]said{reserved, declined}, order.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := order.Order{ID: "o-1", State: order.Pending}
			for _, s := range tt.heard {
				if err := tell(&o, s); err != nil {
					t.Fatal(err)
				}
			}
			if o.State != tt.want {
				t.Errorf("state is %s, want %s", o.State, tt.want)
			}
		})
	}
}

func tell(o *order.Order, s said) error {
	if s.stock != "" {
		return o.Stock(order.StockReserved{OrderID: o.ID, Status: s.stock, Sequence: s.sequence})
	}
	return o.Payment(order.PaymentSettled{OrderID: o.ID, Status: s.payment})
}

func TestWhatCannotBeIsAnError(t *testing.T) {
	t.Parallel()
	for name, heard := range map[string][]said{
		"the same number twice":  {{stock: "RESERVED", sequence: 1}, {stock: "RESERVED", sequence: 1}},
		"numbers that go back":   {{stock: "COMMITTED", sequence: 2}, {stock: "RESERVED", sequence: 1}},
		"paid twice":             {{payment: "CONFIRMED"}, {payment: "CONFIRMED"}},
		"paid without stock":     {{stock: "REJECTED", sequence: 1}, {payment: "CONFIRMED"}},
		"paid and given back":    {{payment: "CONFIRMED"}, {stock: "RELEASED", sequence: 2}},
		"declined and committed": {{stock: "COMMITTED", sequence: 2}, {payment: "DECLINED"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := order.Order{ID: "o-1", State: order.Pending}
			var err error
			for _, s := range heard {
				if err != nil {
					t.Fatalf("an earlier word was refused: %v", err)
				}
				err = tell(&o, s)
			}
			if err == nil {
				t.Errorf("the last of %+v was taken in", heard)
			}
		})
	}
}
