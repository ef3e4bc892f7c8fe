package trial

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.com/shop/internal/ledger"
)

// The services, as they are called in ledgers and messages.
const (
	orders    = "orders"
	inventory = "inventory"
	payments  = "payments"
)

// A Config says where the shop is and how hard to try it.
type Config struct {
	OrdersURL    string // required, as http://127.0.0.1:18081
	InventoryURL string // required
	PaymentsURL  string // required

	// Orders is how many orders to place. At least 1.
	Orders int

	// Client calls the services.
	//
	// Defaults to one that keeps a connection for each concurrent order.
	Client *http.Client

	// Concurrency is how many orders are placed at a time.
	//
	// Defaults to 64.
	Concurrency int

	// Patience is how long a service may fail to answer before the trial is
	// given up.
	//
	// Defaults to 30 seconds.
	Patience time.Duration

	// Quiet is how long nothing may follow the last final state: the time in
	// which a late duplicate would show.
	//
	// Defaults to 1 second.
	Quiet time.Duration

	// Stall is how long nothing may move before orders that are not final are
	// called lost. It is longer than the contracts' retries take, and than a
	// group takes to notice that a member was killed (45 seconds).
	//
	// Defaults to 2 minutes.
	Stall time.Duration
}

func (c Config) withDefaults() Config {
	c.Concurrency = cmp.Or(c.Concurrency, 64)
	c.Patience = cmp.Or(c.Patience, 30*time.Second)
	c.Quiet = cmp.Or(c.Quiet, time.Second)
	c.Stall = cmp.Or(c.Stall, 2*time.Minute)
	if c.Client == nil {
		c.Client = newClient(c.Concurrency)
	}
	return c
}

// Run tries the shop. It always returns a summary: a trial that could not be
// run to its end is one whose result is [Unknown].
func Run(ctx context.Context, cfg Config) Summary {
	cfg = cfg.withDefaults()
	t := &trial{
		cfg:     cfg,
		run:     "drive-" + strings.ToLower(rand.Text()[:8]),
		reached: make(map[string]place),
		own:     make(map[string]bool),
	}
	t.basket = newBasket(t.run, cfg.Orders)
	t.tails = []*tail{
		{service: orders, caller: t.caller(orders, cfg.OrdersURL)},
		{service: inventory, caller: t.caller(inventory, cfg.InventoryURL)},
		{service: payments, caller: t.caller(payments, cfg.PaymentsURL)},
	}
	err := t.drive(ctx)
	e := t.evidence(ctx, err == nil)
	return t.summary(judge(e), cmp.Or(err, e.cut))
}

// A trial is one run of the driver.
type trial struct {
	cfg    Config
	run    string // what its SKUs and idempotency keys begin with
	basket *basket
	tails  []*tail // of the ledgers; only follow uses them
	began  time.Time

	mu      sync.Mutex
	placed  int              // orders whose placing was answered
	own     map[string]bool  // the ids of the trial's orders
	reached map[string]place // how far each order has come, own or not
	final   int              // own orders that are final everywhere
	last    time.Time        // when the last of them became so
	moved   time.Time        // when a ledger grew last
}

// A place is the set of services in which an order is final.
type place uint8

const (
	finalInOrders place = 1 << iota
	finalInInventory
	finalEverywhere = finalInOrders | finalInInventory
)

func (t *trial) caller(service, url string) caller {
	return caller{service: service, base: strings.TrimSuffix(url, "/"), client: t.cfg.Client, patience: t.cfg.Patience}
}

func (t *trial) service(name string) caller {
	for _, tl := range t.tails {
		if tl.service == name {
			return tl.caller
		}
	}
	panic("trial: no service " + name)
}

// drive places the orders and follows them until all are final. An error says
// what cut it short.
func (t *trial) drive(ctx context.Context) error {
	for _, tl := range t.tails {
		if err := tl.seekEnd(ctx); err != nil {
			return err
		}
	}
	for sku, n := range t.basket.stock {
		if err := t.service(inventory).seed(ctx, sku, n); err != nil {
			return err
		}
	}
	t.began = time.Now()
	t.moved = t.began
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	all.Go(func() {
		if err := t.placeAll(ctx); err != nil {
			cancel(err)
		}
	})
	err := t.follow(ctx)
	cancel(err)
	all.Wait()
	return err
}

// placeAll places the basket's orders, several at a time.
func (t *trial) placeAll(ctx context.Context) error {
	work := make(chan *wish)
	errs := make(chan error, t.cfg.Concurrency)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for range t.cfg.Concurrency {
		all.Go(func() {
			for w := range work {
				if err := t.placeOne(ctx, w); err != nil {
					errs <- err
					cancel()
					return
				}
			}
		})
	}
	for i := range t.basket.wishes {
		select {
		case work <- &t.basket.wishes[i]:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	all.Wait()
	close(errs)
	return <-errs // the first, nil for none
}

func (t *trial) placeOne(ctx context.Context, w *wish) error {
	t.mu.Lock()
	w.tried = true
	t.mu.Unlock()
	id, err := t.service(orders).place(ctx, w)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w.orderID = id
	t.placed++
	t.claim(id)
	return nil
}

// claim notes that an order is the trial's own.
func (t *trial) claim(id string) {
	if t.own[id] {
		return
	}
	t.own[id] = true
	if t.reached[id] == finalEverywhere {
		t.finish()
	}
}

func (t *trial) finish() {
	t.final++
	t.last = time.Now()
}

// note takes in what a ledger says.
func (t *trial) note(service string, entries []ledger.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(entries) > 0 {
		t.moved = time.Now()
	}
	for _, e := range entries {
		before := t.reached[e.OrderID]
		after := before | reaches(service, e)
		t.reached[e.OrderID] = after
		if after != before && after == finalEverywhere && t.own[e.OrderID] {
			t.finish()
		}
	}
}

// reaches says what an entry makes final: the order in orders, and the last event
// of its stock in inventory.
func reaches(service string, e ledger.Entry) place {
	last := e.Kind == "rejected" || e.Kind == "committed" || e.Kind == "released"
	switch {
	case service == orders && e.Flow == ledger.State:
		return finalInOrders
	case service == inventory && e.Flow == ledger.Out && last:
		return finalInInventory
	}
	return 0
}

// errStalled ends a trial whose orders no longer get anywhere. It is an end,
// not a cut: what is missing by then is lost.
var errStalled = errors.New("nothing moves any more")

// follow reads the ledgers until all orders are final and nothing follows, or
// nothing moves any more.
func (t *trial) follow(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, tl := range t.tails {
			entries, err := tl.read(ctx)
			t.note(tl.service, entries)
			if err != nil {
				return err
			}
		}
		switch done, err := t.ended(ctx); {
		case errors.Is(err, errStalled) || done:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (t *trial) ended(ctx context.Context) (bool, error) {
	t.mu.Lock()
	still := time.Since(t.moved)
	final, placed := t.final >= t.cfg.Orders, t.placed == t.cfg.Orders
	t.mu.Unlock()
	switch {
	case final && placed:
		return still >= t.cfg.Quiet, nil
	case !placed || still < t.cfg.Stall:
		return false, nil
	}
	for _, tl := range t.tails {
		if err := tl.ready(ctx); err != nil {
			return false, fmt.Errorf("nothing has moved for %v: %w", t.cfg.Stall, err)
		}
	}
	return false, errStalled
}
