package trial

import (
	"context"
	"strings"
	"sync"

	"example.com/shop/internal/ledger"
)

// Evidence is everything a trial knows at its end.
type evidence struct {
	basket  *basket
	own     map[string]bool           // the ids of the trial's orders
	ledgers map[string][]ledger.Entry // by service, from the trial's beginning
	stock   map[string]item           // at the end, by SKU
	states  map[string]string         // at the end, by order
	ended   bool                      // everything was read to its end
	cut     error                     // why the end could not be read
}

// evidence collects what judging needs. What the services say at the end is
// asked only if the trial got there.
func (t *trial) evidence(ctx context.Context, ended bool) evidence {
	e := evidence{basket: t.basket, own: t.own, ledgers: make(map[string][]ledger.Entry), ended: ended}
	for _, tl := range t.tails {
		e.ledgers[tl.service] = tl.entries
	}
	// An order whose answer got lost is known by its key in the ledger.
	for _, entry := range e.ledgers[orders] {
		if entry.Topic == placeRequest && strings.HasPrefix(entry.EventID, t.run+"-") {
			e.own[entry.OrderID] = true
		}
	}
	if !ended {
		return e
	}
	if e.stock, e.cut = t.items(ctx); e.cut == nil {
		e.states, e.cut = t.states(ctx)
	}
	e.ended = e.cut == nil
	return e
}

func (t *trial) items(ctx context.Context) (map[string]item, error) {
	items := make(map[string]item)
	for sku := range t.basket.stock {
		i, err := t.service(inventory).item(ctx, sku)
		if err != nil {
			return nil, err
		}
		items[sku] = i
	}
	return items, nil
}

// states asks orders for every order's state.
func (t *trial) states(ctx context.Context) (map[string]string, error) {
	states := make(map[string]string)
	var mu sync.Mutex
	var first error
	work := make(chan string)
	var all sync.WaitGroup
	for range t.cfg.Concurrency {
		all.Go(func() {
			for id := range work {
				state, err := t.service(orders).state(ctx, id)
				mu.Lock()
				states[id] = state
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	for id := range t.own {
		work <- id
	}
	close(work)
	all.Wait()
	return states, first
}
