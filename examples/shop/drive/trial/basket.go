package trial

import "fmt"

// A wish is an order to be placed and what must become of it.
type wish struct {
	key      string // its idempotency key
	sku      string
	quantity int64
	price    int64 // of one, in minor units
	method   string
	want     string // the final state; "" if stock decides

	tried   bool   // a request may have been sent
	orderID string // "" while unanswered
}

const currency = "EUR"

func (w *wish) total() int64 { return w.quantity * w.price }

// A basket is what one trial orders. The same run and size give the same
// basket.
type basket struct {
	wishes   []wish
	stock    map[string]int64 // what to seed, by SKU
	rejected int              // how many of the wishes without a want are to be rejected
}

// The shares, in orders of ten: one asks for a scarce SKU of which there is
// half as much as is asked for, one is declined, for its card or its amount.
const (
	plentiful = 10 // SKUs
	scarceAt  = 9
	declineAt = 4
)

func newBasket(run string, n int) *basket {
	b := &basket{stock: make(map[string]int64)}
	scarce, asked := run+"-scarce", 0
	for i := range n {
		w := wish{key: fmt.Sprintf("%s-%d", run, i), sku: fmt.Sprintf("%s-%d", run, i%plentiful), quantity: int64(1 + i%3), price: int64(100 + i%900), method: "card-ok", want: "confirmed"}
		switch {
		case i%10 == scarceAt:
			w.sku, w.quantity, w.want = scarce, 1, ""
			asked++
		case i%20 == declineAt:
			w.method, w.want = "card-declined", "declined"
		case i%20 == declineAt+10:
			w.price, w.want = 100_001, "declined"
		}
		if w.sku != scarce {
			b.stock[w.sku] += w.quantity + 1
		}
		b.wishes = append(b.wishes, w)
	}
	b.stock[scarce] = int64(asked / 2)
	b.rejected = asked - asked/2
	return b
}
