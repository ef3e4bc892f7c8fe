package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.com/shop/internal/ledger"
)

const (
	requestTimeout = 15 * time.Second
	firstWait      = 50 * time.Millisecond
	longestWait    = 2 * time.Second
	largestAnswer  = 16 << 20
)

func newClient(concurrency int) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the services are next door
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = concurrency + 8
	return &http.Client{Transport: transport}
}

// A caller calls one service. What may succeed later is tried again until
// patience is over; every request may be repeated without harm.
type caller struct {
	service  string
	base     string
	client   *http.Client
	patience time.Duration
}

// A refusal is an answer that no repetition will change.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

// place places an order and returns its id.
func (c caller) place(ctx context.Context, w *wish) (string, error) {
	body := map[string]any{
		"sku": w.sku, "quantity": w.quantity, "payment_method": w.method,
		"unit_price": map[string]any{"amount": w.price, "currency": currency},
	}
	var answer struct {
		OrderID string `json:"order_id"`
	}
	err := c.call(ctx, "POST", "/orders", http.Header{"Idempotency-Key": {w.key}}, body, &answer)
	if err == nil && answer.OrderID == "" {
		err = fmt.Errorf("%s: POST /orders answered without order_id", c.service)
	}
	return answer.OrderID, err
}

// state returns the state of an order.
func (c caller) state(ctx context.Context, orderID string) (string, error) {
	var answer struct {
		State string `json:"state"`
	}
	err := c.call(ctx, "GET", "/orders/"+url.PathEscape(orderID), nil, nil, &answer)
	return answer.State, err
}

// seed sets how much of a SKU is available.
func (c caller) seed(ctx context.Context, sku string, available int64) error {
	return c.call(ctx, "PUT", "/stock/"+url.PathEscape(sku), nil, map[string]int64{"available": available}, &struct{}{})
}

// An item is how much there is of one SKU.
type item struct {
	Available int64 `json:"available"`
	Reserved  int64 `json:"reserved"`
	Committed int64 `json:"committed"`
}

func (c caller) item(ctx context.Context, sku string) (item, error) {
	var i item
	return i, c.call(ctx, "GET", "/stock/"+url.PathEscape(sku), nil, nil, &i)
}

// ledger returns a page of the service's ledger.
func (c caller) ledger(ctx context.Context, after int64, limit int) (ledger.Page, error) {
	var page ledger.Page
	query := url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}}
	return page, c.call(ctx, "GET", "/ledger?"+query.Encode(), nil, nil, &page)
}

// ready returns what keeps a service from its work, nil for nothing. A service
// without the probe is taken to be ready.
func (c caller) ready(ctx context.Context) error {
	c.patience = 0
	err := c.call(ctx, "GET", "/readyz", nil, nil, &struct{}{})
	if _, refused := errors.AsType[*refusal](err); refused {
		return nil
	}
	return err
}

// call makes a request, and makes it again while that may help.
func (c caller) call(ctx context.Context, method, path string, header http.Header, body, answer any) error {
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	began := time.Now()
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := c.once(ctx, method, path, header, payload, answer)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, refused := errors.AsType[*refusal](err); refused || time.Since(began) >= c.patience {
			return fmt.Errorf("%s: %s %s: %w", c.service, method, path, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

func (c caller) once(ctx context.Context, method, path string, header http.Header, payload []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(payload))
	if err != nil {
		return &refusal{0, err.Error()}
	}
	if method == http.MethodGet {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	maps.Copy(req.Header, header)
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, largestAnswer))
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("status %d: %.200s", resp.StatusCode, text)
	case resp.StatusCode >= 400:
		return &refusal{resp.StatusCode, fmt.Sprintf("%.200s", text)}
	}
	return json.Unmarshal(text, answer)
}

// A tail follows the ledger of one service.
type tail struct {
	caller
	service string
	at      int64
	entries []ledger.Entry
}

// seekEnd begins behind what the ledger holds already.
func (t *tail) seekEnd(ctx context.Context) error {
	page, err := t.ledger(ctx, 0, 1)
	t.at = page.Last
	return err
}

// read returns what the ledger has gained since.
func (t *tail) read(ctx context.Context) ([]ledger.Entry, error) {
	from := len(t.entries)
	for {
		page, err := t.ledger(ctx, t.at, ledger.MaxPage)
		if err != nil {
			return t.entries[from:], err
		}
		t.entries = append(t.entries, page.Entries...)
		if page.Next <= t.at {
			return t.entries[from:], nil
		}
		t.at = page.Next
		if t.at >= page.Last {
			return t.entries[from:], nil
		}
	}
}
