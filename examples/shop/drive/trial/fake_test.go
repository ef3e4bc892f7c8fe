package trial_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"example.com/shop/drive/trial"
	"example.com/shop/internal/ledger"
)

// A fakeShop is three services without Kafka and without a database: placing
// an order writes everything that follows into the three ledgers at once. Its
// hooks make it break its promises.
type fakeShop struct {
	// ledger may drop, repeat or change an entry before it is written.
	ledger func(service string, e ledger.Entry) []ledger.Entry

	// answer may answer a request in the service's stead; nil leaves it to it.
	answer func(r *http.Request) *http.Response

	// done is called with every order placed.
	done func(n int)

	mu      sync.Mutex
	ledgers map[string][]ledger.Entry
	stock   map[string]*fakeItem
	orders  map[string]*fakeOrder // by key
	states  map[string]string     // by id
}

type fakeItem struct {
	Available int64 `json:"available"`
	Reserved  int64 `json:"reserved"`
	Committed int64 `json:"committed"`
}

type fakeOrder struct {
	id       string
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Price    struct {
		Amount   int64  `json:"amount"`
		Currency string `json:"currency"`
	} `json:"unit_price"`
	Method string `json:"payment_method"`
}

func newFakeShop() *fakeShop {
	return &fakeShop{
		ledger:  func(_ string, e ledger.Entry) []ledger.Entry { return []ledger.Entry{e} },
		answer:  func(*http.Request) *http.Response { return nil },
		done:    func(int) {},
		ledgers: make(map[string][]ledger.Entry), stock: make(map[string]*fakeItem),
		orders: make(map[string]*fakeOrder), states: make(map[string]string),
	}
}

func (s *fakeShop) config(orders int) trial.Config {
	return trial.Config{
		OrdersURL: "http://orders", InventoryURL: "http://inventory/", PaymentsURL: "http://payments",
		Orders: orders, Concurrency: 8, Client: &http.Client{Transport: s},
	}
}

// RoundTrip implements [http.RoundTripper].
func (s *fakeShop) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp := s.answer(r); resp != nil {
		return resp, nil
	}
	w := httptest.NewRecorder()
	s.serve(w, r)
	return w.Result(), nil
}

// status is an answer with nothing but a status.
func status(code int) *http.Response {
	w := httptest.NewRecorder()
	http.Error(w, http.StatusText(code), code)
	return w.Result()
}

func (s *fakeShop) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch what := r.URL.Path; {
	case what == "/ledger":
		_ = json.NewEncoder(w).Encode(s.page(r))
	case what == "/readyz":
		_, _ = w.Write([]byte("{}"))
	case r.Method == http.MethodPut:
		i := new(fakeItem)
		_ = json.NewDecoder(r.Body).Decode(i)
		s.stock[strings.TrimPrefix(what, "/stock/")] = i
		_ = json.NewEncoder(w).Encode(i)
	case strings.HasPrefix(what, "/stock/"):
		_ = json.NewEncoder(w).Encode(s.stock[strings.TrimPrefix(what, "/stock/")])
	case r.Method == http.MethodPost:
		_ = json.NewEncoder(w).Encode(map[string]string{"order_id": s.place(r)})
	default:
		_ = json.NewEncoder(w).Encode(map[string]string{"state": s.states[strings.TrimPrefix(what, "/orders/")]})
	}
}

func (s *fakeShop) page(r *http.Request) ledger.Page {
	var after, limit int
	_, _ = fmt.Sscan(r.FormValue("after")+" "+r.FormValue("limit"), &after, &limit)
	all := s.ledgers[r.URL.Host]
	page := ledger.Page{Entries: []ledger.Entry{}, Next: int64(after), Last: int64(len(all))}
	if after < len(all) {
		page.Entries = all[after:min(after+limit, len(all))]
		page.Next = int64(after + len(page.Entries))
	}
	return page
}

func (s *fakeShop) write(service string, e ledger.Entry) {
	for _, e := range s.ledger(service, e) {
		e.Position = int64(len(s.ledgers[service]) + 1)
		e.At = time.Now()
		s.ledgers[service] = append(s.ledgers[service], e)
	}
}

// place places an order and lets everything that follows happen.
func (s *fakeShop) place(r *http.Request) string {
	key := r.Header.Get("Idempotency-Key")
	if known := s.orders[key]; known != nil {
		return known.id
	}
	o := &fakeOrder{id: fmt.Sprintf("o-%d", len(s.orders))}
	_ = json.NewDecoder(r.Body).Decode(o)
	s.orders[key] = o
	e := ledger.Entry{OrderID: o.id, Sequence: 1, SKU: o.SKU, Quantity: o.Quantity, Amount: o.Price.Amount * o.Quantity, Currency: o.Price.Currency}
	entry := func(flow ledger.Flow, topic, kind string, sequence int64) ledger.Entry {
		e := e
		e.Flow, e.Topic, e.Kind, e.Sequence = flow, topic, kind, sequence
		e.EventID = fmt.Sprintf("%s/%s/%d", topic, o.id, sequence)
		return e
	}
	placed := entry(ledger.In, "POST /orders", "placed", 1)
	placed.EventID = key
	s.write("orders", placed)
	s.write("orders", entry(ledger.Out, "orders.created.v1", "placed", 1))
	s.states[o.id] = s.fulfil(o, entry)
	s.write("orders", entry(ledger.State, "", s.states[o.id], 0))
	s.done(len(s.orders))
	return o.id
}

// fulfil reserves and pays, and returns the final state.
func (s *fakeShop) fulfil(o *fakeOrder, entry func(ledger.Flow, string, string, int64) ledger.Entry) string {
	const created, reserved, settled = "orders.created.v1", "inventory.reserved.v1", "payments.settled.v1"
	stock := func(cause, kind string, sequence int64) {
		s.write("inventory", entry(ledger.In, cause, kind, 1))
		s.write("inventory", entry(ledger.Out, reserved, kind, sequence))
		s.write("orders", entry(ledger.In, reserved, kind, sequence))
	}
	item := s.stock[o.SKU]
	if item.Available < o.Quantity {
		stock(created, "rejected", 1)
		return "rejected"
	}
	item.Available -= o.Quantity
	stock(created, "reserved", 1)
	payment, next := "confirmed", "committed"
	if o.Method == "card-declined" || o.Price.Amount*o.Quantity > 100_000 {
		payment, next = "declined", "released"
		item.Available += o.Quantity
	} else {
		item.Committed += o.Quantity
	}
	s.write("payments", entry(ledger.In, "orders.payment.v1", "charge", 1))
	s.write("payments", entry(ledger.Out, settled, payment, 1))
	s.write("orders", entry(ledger.In, settled, payment, 1))
	stock("orders.stock.v1", next, 2)
	return payment
}
