package promise

import (
	"context"
	"fmt"
	"net/http"
	"sync"
)

// many is how many requests are made at once.
const many = 20

// atOnce makes requests side by side.
func atOnce(n int, request func(i int) error) error {
	errs := make(chan error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs <- request(i) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func repeatedRequest(ctx context.Context, s *shop) error {
	sku, err := s.seed(ctx, "once", many)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	ids, created := make(map[string]bool), 0
	err = atOnce(many, func(int) error {
		a, err := s.place(ctx, s.run+"-once", sku, "card-ok", "")
		var o order
		if err == nil {
			err = a.decode(&o, http.StatusCreated, http.StatusOK)
		}
		mu.Lock()
		defer mu.Unlock()
		ids[o.ID] = true
		if a.status == http.StatusCreated {
			created++
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(ids) != 1 || created != 1 {
		return fmt.Errorf("%d requests under one key made %d orders and %d answers of 201, want one", many, len(ids), created)
	}
	var o order
	for o.ID = range ids { // the only one
	}
	if err := s.final(ctx, &o); err != nil {
		return err
	}
	var i item
	if err := s.get(ctx, "inventory", "/stock/"+sku, &i); err != nil {
		return err
	}
	if i != (item{Available: many - 1, Committed: 1}) {
		return fmt.Errorf("stock is %+v, want one sold", i)
	}
	a, err := s.place(ctx, s.run+"-once", sku, "card-other", "")
	if err == nil {
		err = a.decode(&o, http.StatusConflict)
	}
	if err == nil && o.Error.Code != "idempotency_key_reused" {
		err = fmt.Errorf("another order under the key is refused with %q", o.Error.Code)
	}
	return err
}

func stockLimit(ctx context.Context, s *shop) error {
	const stock = 7
	sku, err := s.seed(ctx, "scarce", stock)
	if err != nil {
		return err
	}
	orders := make([]order, many)
	if err := atOnce(many, func(i int) (err error) { orders[i], err = s.buy(ctx, sku, "card-ok", ""); return err }); err != nil {
		return err
	}
	states := make(map[string]int)
	for _, o := range orders {
		states[o.State]++
	}
	if states["confirmed"] != stock || states["rejected"] != many-stock {
		return fmt.Errorf("of %d orders for %d pieces %v, want %d confirmed and the rest rejected", many, stock, states, stock)
	}
	var i item
	if err := s.get(ctx, "inventory", "/stock/"+sku, &i); err != nil {
		return err
	}
	if i != (item{Committed: stock}) {
		return fmt.Errorf("stock is %+v, want all %d sold", i, stock)
	}
	return nil
}

func paidOnce(ctx context.Context, s *shop) error {
	sku, err := s.seed(ctx, "paid", 1)
	if err != nil {
		return err
	}
	o, err := s.buy(ctx, sku, "card-ok", "")
	if err != nil {
		return err
	}
	var p struct {
		Status string `json:"status"`
		Amount int64  `json:"amount"`
	}
	if err := s.get(ctx, "payments", "/payments/"+o.ID, &p); err != nil {
		return err
	}
	charges := 0
	for after := int64(0); ; {
		var page struct {
			Entries []struct {
				Flow    string `json:"flow"`
				OrderID string `json:"order_id"`
				Kind    string `json:"kind"`
			} `json:"entries"`
			Next int64 `json:"next"`
		}
		if err := s.get(ctx, "payments", fmt.Sprintf("/ledger?limit=5000&after=%d", after), &page); err != nil {
			return err
		}
		for _, e := range page.Entries {
			if e.OrderID == o.ID && e.Flow == "out" && e.Kind == "confirmed" {
				charges++
			}
		}
		if len(page.Entries) == 0 {
			break
		}
		after = page.Next
	}
	if o.State != "confirmed" || p.Status != "CONFIRMED" || p.Amount != 1250 || charges != 1 {
		return fmt.Errorf("the order is %s, its payment %s over %d, charged %d times; want 1250 once", o.State, p.Status, p.Amount, charges)
	}
	return nil
}

func declined(ctx context.Context, s *shop) error {
	sku, err := s.seed(ctx, "declined", 1)
	if err != nil {
		return err
	}
	o, err := s.buy(ctx, sku, "card-declined", "")
	if err != nil {
		return err
	}
	if o.State != "declined" || o.Reason != "card_declined" {
		return fmt.Errorf("the order is %s because of %q, want declined because of card_declined", o.State, o.Reason)
	}
	var i item
	if err := s.get(ctx, "inventory", "/stock/"+sku, &i); err != nil {
		return err
	}
	if i != (item{Available: 1}) {
		return fmt.Errorf("stock is %+v, want the piece back", i)
	}
	return nil
}
