package hook_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/webhooks/hook"
)

// A partner is everybody's servers, by host: what each answers, and what it was
// asked.
type partner struct {
	mu     sync.Mutex
	status map[string]int
	asked  map[string][]string // the orders' ids, by host
}

// RoundTrip implements [http.RoundTripper].
func (p *partner) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var body struct {
		Data struct {
			OrderID string `json:"order_id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	p.asked[r.URL.Host] = append(p.asked[r.URL.Host], body.Data.OrderID)
	if p.status[r.URL.Host] == 0 {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	w.WriteHeader(p.status[r.URL.Host])
	return w.Result(), nil
}

func (p *partner) answer(host string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status[host] = status
}

func (p *partner) got(host string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked[host])
}

func run(t *testing.T, test func(t *testing.T, k *slipwaytest.Kit, p *partner)) {
	t.Helper()
	p := &partner{status: make(map[string]int), asked: make(map[string][]string)}
	slipwaytest.Run(t, os.DirFS(".."), hook.WireTo(p), func(t *testing.T, k *slipwaytest.Kit) { test(t, k, p) })
}

func call(t *testing.T, k *slipwaytest.Kit, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	k.HTTP("webhooks").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func subscribe(t *testing.T, k *slipwaytest.Kit, id, events string) {
	t.Helper()
	if code, body := call(t, k, "PUT", "/webhooks/"+id, `{"url": "https://`+id+`/x", "secret": "0123456789abcdef", "events": [`+events+`]}`); code != http.StatusOK {
		t.Fatalf("subscribe %s: status %d with %s", id, code, body)
	}
}

func closed(t *testing.T, k *slipwaytest.Kit, id, state string) {
	t.Helper()
	k.Send("orders.closed.v1", hook.OrderClosed{OrderID: id, State: state, SKU: "lamp", Quantity: 1, Amount: 100, Currency: "EUR"}, slipwaytest.Key(id))
	k.Advance(time.Second)
}

func TestADeadReceiverParksItsOwnEndpointOnly(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit, p *partner) {
		p.answer("alive", http.StatusNoContent)
		subscribe(t, k, "alive", `"order.confirmed", "order.declined"`)
		subscribe(t, k, "dead", `"order.confirmed"`)
		for _, id := range []string{"o-1", "o-2", "o-3"} {
			closed(t, k, id, "CONFIRMED")
		}
		closed(t, k, "o-4", "DECLINED")
		closed(t, k, "o-5", "REJECTED") // nobody asked for that
		k.Advance(17 * time.Minute)
		if got, want := p.got("alive"), []string{"o-1", "o-2", "o-3", "o-4"}; !slices.Equal(got, want) {
			t.Errorf("the receiver that works was told of %v, want %v", got, want)
		}
		if got, want := p.got("dead"), slices.Repeat([]string{"o-1"}, 7); !slices.Equal(got, want) {
			t.Errorf("the dead receiver was asked to take %v, want %v and no other", got, want)
		}
		k.RequireDeadLettered("webhooks", "webhooks.deliveries.v1", 1) // the evidence; the others wait behind it

		p.answer("dead", http.StatusOK)
		if n := k.Redrive("webhooks", "webhooks.deliveries.v1"); n != 1 {
			t.Errorf("%d letters redriven, want 1", n)
		}
		k.Advance(time.Minute)
		if got, want := p.got("dead")[7:], []string{"o-1", "o-2", "o-3"}; !slices.Equal(got, want) {
			t.Errorf("alive again, the receiver was told of %v, want %v", got, want)
		}
	})
}

func TestAReceiverThatIsGoneIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit, p *partner) {
		p.answer("gone", http.StatusGone)
		subscribe(t, k, "gone", `"order.confirmed"`)
		closed(t, k, "o-1", "CONFIRMED")
		closed(t, k, "o-2", "CONFIRMED")
		k.Advance(time.Minute)
		if got := p.got("gone"); !slices.Equal(got, []string{"o-1"}) {
			t.Errorf("the receiver was asked to take %v, want the first only", got)
		}
		if code, _ := call(t, k, "GET", "/webhooks/gone", ""); code != http.StatusNotFound {
			t.Errorf("status %d for the subscription, want 404", code)
		}
	})
}

func TestASubscriptionThatMakesNoSenseIsRefusedAndASecretNeverTold(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, k *slipwaytest.Kit, _ *partner) {
		const good = `{"url": "https://example.com/x", "secret": "0123456789abcdef", "events": ["order.confirmed"]}`
		for name, tt := range map[string]struct {
			path, old, replacement string
			code                   string
		}{
			"no id":             {"/webhooks/A%20B", "", "", "webhook_id_invalid"},
			"no address":        {"/webhooks/a", "https://example.com/x", "example.com", "url_invalid"},
			"another scheme":    {"/webhooks/a", "https://", "ftp://", "url_invalid"},
			"a password":        {"/webhooks/a", "https://", "https://u:p@", "url_invalid"},
			"a short secret":    {"/webhooks/a", "0123456789abcdef", "secret", "secret_invalid"},
			"no such event":     {"/webhooks/a", "order.confirmed", "order.eaten", "events_invalid"},
			"no event":          {"/webhooks/a", `"order.confirmed"`, "", "events_invalid"},
			"something unknown": {"/webhooks/a", `"url"`, `"color": 1, "url"`, "body_invalid"},
		} {
			if code, body := call(t, k, "PUT", tt.path, strings.Replace(good, tt.old, tt.replacement, 1)); code != http.StatusBadRequest || !strings.Contains(body, tt.code) {
				t.Errorf("%s: status %d with %s, want 400 with %s", name, code, body, tt.code)
			}
		}
		for _, method := range []string{"PUT", "GET", "DELETE"} {
			if code, body := call(t, k, method, "/webhooks/a", good); code != http.StatusOK || strings.Contains(body, "0123456789abcdef") {
				t.Errorf("%s: status %d with %s, want 200 without the secret", method, code, body)
			}
		}
	})
}
