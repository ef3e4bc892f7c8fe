package promise

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Config says where the shop is.
type Config struct {
	// URLs are the services' addresses, by name. All of [Services] are required.
	URLs map[string]string

	// Receive serves requests of webhooks with h, and returns the address that
	// they are to be sent to and what ends it. Required.
	Receive func(h http.Handler) (url string, stop func(), err error)

	// Client calls the services.
	//
	// Defaults to one with a timeout of 15 seconds.
	Client *http.Client

	// Patience is how long what must happen may take.
	//
	// Defaults to 1 minute.
	Patience time.Duration
}

// Services are those that the suite calls.
var Services = []string{"orders", "inventory", "payments", "users", "notifications", "audit", "recommendations", "webhooks"}

// A Result is what became of one promise.
type Result struct {
	Promise string
	Took    time.Duration
	Err     error // nil if it was kept
}

// promises are what is checked, in this order.
var promises = []struct {
	name string
	keep func(ctx context.Context, s *shop) error
}{
	{"a repeated request places one order", repeatedRequest},
	{"stock never falls below zero, however many ask at once", stockLimit},
	{"an order is paid once", paidOnce},
	{"a declined order gives its stock back", declined},
	{"a webhook that fails is tried again, in order and signed", webhookRetry},
	{"mail, audit and recommendations hear of a user, each for itself", userCreated},
	{"the audit is whole, and an order's history follows from it", audited},
}

// Run checks all promises, one after the other.
func Run(ctx context.Context, cfg Config) []Result {
	cfg.Patience = cmp.Or(cfg.Patience, time.Minute)
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: 15 * time.Second}
	}
	s := &shop{cfg: cfg, run: "promise-" + strings.ToLower(rand.Text()[:8])}
	var results []Result
	for _, p := range promises {
		began := time.Now()
		err := p.keep(ctx, s)
		results = append(results, Result{Promise: p.name, Took: time.Since(began), Err: err})
	}
	return results
}

// A shop is the services under test.
type shop struct {
	cfg Config
	run string // what the suite's names begin with
}

// An answer is a response of a service.
type answer struct {
	status int
	body   []byte
}

// decode reads the body, if the status is one of those wanted.
func (a answer) decode(v any, want ...int) error {
	if slices.Contains(want, a.status) {
		return json.Unmarshal(a.body, v)
	}
	return fmt.Errorf("status %d with %s, want %v", a.status, bytes.TrimSpace(a.body), want)
}

// call makes a request once.
func (s *shop) call(ctx context.Context, method, service, path, key string, body any) (answer, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.cfg.URLs[service], "/")+path, payload)
	if err != nil {
		return answer{}, err
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", service, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return answer{resp.StatusCode, text}, err
}

// get reads what a service says, which must be there.
func (s *shop) get(ctx context.Context, service, path string, v any) error {
	a, err := s.call(ctx, http.MethodGet, service, path, "", nil)
	if err == nil {
		err = a.decode(v, http.StatusOK)
	}
	if err != nil {
		return fmt.Errorf("GET %s of %s: %w", path, service, err)
	}
	return nil
}

// eventually asks until there is no error, or patience is over.
func (s *shop) eventually(ctx context.Context, holds func() error) error {
	for deadline := time.Now().Add(s.cfg.Patience); ; {
		err := holds()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %w", s.cfg.Patience, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// The shapes of what the services say.
type (
	order struct {
		ID     string `json:"order_id"`
		State  string `json:"state"`
		Reason string `json:"reason"`
		Error  struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	item struct {
		Available int64 `json:"available"`
		Reserved  int64 `json:"reserved"`
		Committed int64 `json:"committed"`
	}
)

// seed sets how much of a SKU there is. The SKU's name begins with the run's.
func (s *shop) seed(ctx context.Context, name string, available int) (sku string, err error) {
	sku = s.run + "-" + name
	a, err := s.call(ctx, http.MethodPut, "inventory", "/stock/"+sku, "", map[string]int{"available": available})
	if err == nil {
		err = a.decode(new(item), http.StatusOK)
	}
	return sku, err
}

func (s *shop) place(ctx context.Context, key, sku, method, user string) (answer, error) {
	body := map[string]any{
		"sku": sku, "quantity": 1, "payment_method": method, "unit_price": map[string]any{"amount": 1250, "currency": "EUR"},
	}
	if user != "" {
		body["user_id"] = user
	}
	return s.call(ctx, http.MethodPost, "orders", "/orders", key, body)
}

// buy places an order of one of a SKU and waits until it is final.
func (s *shop) buy(ctx context.Context, sku, method, user string) (order, error) {
	o, err := s.order(ctx, sku, method, user)
	if err != nil {
		return o, err
	}
	return o, s.final(ctx, &o)
}

// order places an order of one of a SKU.
func (s *shop) order(ctx context.Context, sku, method, user string) (o order, err error) {
	a, err := s.place(ctx, "", sku, method, user)
	if err == nil {
		err = a.decode(&o, http.StatusCreated)
	}
	if err != nil {
		return o, fmt.Errorf("place order: %w", err)
	}
	return o, nil
}

// final waits until an order is final.
func (s *shop) final(ctx context.Context, o *order) error {
	return s.eventually(ctx, func() error {
		if err := s.get(ctx, "orders", "/orders/"+o.ID, o); err != nil {
			return err
		}
		if o.State == "pending" {
			return fmt.Errorf("order %s is still pending", o.ID)
		}
		return nil
	})
}
