package trial

import (
	"maps"
	"slices"

	"example.com/shop/internal/ledger"
)

// checkStates compares what became of each order with what was foreseen and
// with what orders says when asked.
func (j *judgement) checkStates(e evidence, states map[string]string) {
	rejected := 0
	for i := range e.basket.wishes {
		w := &e.basket.wishes[i]
		got, final := states[w.orderID]
		if !final {
			continue // counted as lost
		}
		if asked := e.states[w.orderID]; asked != got {
			j.wrongly("order %s is %q by the ledger and %q by the API", w.orderID, got, asked)
		}
		switch {
		case w.want == "" && got == "rejected":
			rejected++
		case w.want == "" && got == "confirmed", got == w.want:
		default:
			j.wrongly("order %s is %s, want %q", w.orderID, got, w.want)
		}
	}
	if len(states) == len(e.basket.wishes) && rejected != e.basket.rejected {
		j.wrongly("%d orders were rejected, want %d: there was stock for the others", rejected, e.basket.rejected)
	}
}

// checkStock replays the ledger of inventory.
func (j *judgement) checkStock(e evidence) {
	have := make(map[string]*item)
	for sku, n := range e.basket.stock {
		have[sku] = &item{Available: n}
	}
	for _, entry := range e.ledgers[inventory] {
		i := have[entry.SKU]
		if i == nil || entry.Flow != ledger.In {
			continue
		}
		switch entry.Kind {
		case "reserved":
			i.Available -= entry.Quantity
			i.Reserved += entry.Quantity
		case "committed":
			i.Reserved -= entry.Quantity
			i.Committed += entry.Quantity
		case "released":
			i.Reserved -= entry.Quantity
			i.Available += entry.Quantity
		}
		if i.Available < 0 || i.Reserved < 0 {
			j.wrongly("stock of %s fell below zero with order %s: %d available, %d reserved", entry.SKU, entry.OrderID, i.Available, i.Reserved)
		}
	}
	for _, sku := range slices.Sorted(maps.Keys(have)) {
		want, got := *have[sku], e.stock[sku]
		if got != want {
			j.wrongly("stock of %s is %+v, by its ledger it must be %+v", sku, got, want)
		}
		if got.Available+got.Reserved+got.Committed != e.basket.stock[sku] {
			j.wrongly("stock of %s is %+v, which is not the %d there were", sku, got, e.basket.stock[sku])
		}
	}
}

// checkMoney compares what payments charged with the totals of the orders.
func (j *judgement) checkMoney(e evidence, states map[string]string) {
	total := make(map[string]int64)
	var due int64
	for i := range e.basket.wishes {
		w := &e.basket.wishes[i]
		total[w.orderID] = w.total()
		if states[w.orderID] == "confirmed" {
			due += w.total()
		}
	}
	settled := true
	for _, entry := range e.ledgers[payments] {
		if entry.Flow != ledger.Out || !e.own[entry.OrderID] {
			continue
		}
		if entry.Amount != total[entry.OrderID] || entry.Currency != currency {
			j.wrongly("payment of order %s is over %d %s, want %d %s", entry.OrderID, entry.Amount, entry.Currency, total[entry.OrderID], currency)
		}
		if entry.Kind == "confirmed" {
			j.charged += entry.Amount
			settled = settled && states[entry.OrderID] == "confirmed"
		}
	}
	if j.charged != due && (settled || j.lost == 0) {
		j.wrongly("%d %s were charged, the confirmed orders are worth %d", j.charged, currency, due)
	}
}
