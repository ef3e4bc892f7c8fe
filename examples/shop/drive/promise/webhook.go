package promise

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"example.com/shop/webhooks/hook"
)

// failures is how often the receiver fails before it takes a delivery.
const failures = 2

// A receiver is somebody else's server: it fails at first, then takes what it is
// given, and keeps what it saw.
type receiver struct {
	secret string

	mu       sync.Mutex
	own      []string       // orders that are bought here; it is told of others', too
	attempts []string       // the ids of all requests, in order
	tries    map[string]int // by id
	taken    []string       // bodies, in order
	fault    error          // the first request that was not what it must be
}

// ServeHTTP implements [http.Handler].
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, at := req.Header.Get(hook.IDHeader), req.Header.Get(hook.TimestampHeader)
	r.mu.Lock()
	defer r.mu.Unlock()
	want := hook.Sign(r.secret, id, at, body)
	if !hmac.Equal([]byte(want), []byte(req.Header.Get(hook.SignatureHeader))) {
		r.fault = errors.Join(r.fault, fmt.Errorf("request %s is signed %q, want %q", id, req.Header.Get(hook.SignatureHeader), want))
	}
	if !slices.ContainsFunc(r.own, func(order string) bool { return strings.Contains(string(body), `"`+order+`"`) }) {
		return // taken: somebody else's order that was confirmed just now
	}
	r.attempts = append(r.attempts, id)
	r.tries[id]++
	if len(r.attempts) <= failures {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	r.taken = append(r.taken, string(body))
}

// expect has the receiver look out for an order.
func (r *receiver) expect(order string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own = append(r.own, order)
}

func (r *receiver) seen() (attempts, taken []string, fault error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.attempts...), append([]string(nil), r.taken...), r.fault
}

// webhookRetry subscribes, buys twice, and fails the first two requests: the
// first delivery must be tried three times, the second once, after it.
func webhookRetry(ctx context.Context, s *shop) error {
	r := &receiver{secret: s.run + "-secret-of-16", tries: make(map[string]int)}
	address, stop, err := s.cfg.Receive(r)
	if err != nil {
		return err
	}
	defer stop()
	path := "/webhooks/" + s.run
	a, err := s.call(ctx, http.MethodPut, "webhooks", path, "", map[string]any{"url": address, "secret": r.secret, "events": []string{"order.confirmed"}})
	if err == nil {
		err = a.decode(new(struct{}), http.StatusOK)
	}
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if strings.Contains(string(a.body), r.secret) {
		return errors.New("the answer tells the secret")
	}
	defer func() { _, _ = s.call(context.WithoutCancel(ctx), http.MethodDelete, "webhooks", path, "", nil) }()
	sku, err := s.seed(ctx, "hook", 2)
	if err != nil {
		return err
	}
	bought := make([]order, 2)
	for i := range bought {
		if bought[i], err = s.order(ctx, sku, "card-ok", ""); err != nil {
			return err
		}
		r.expect(bought[i].ID) // before it is confirmed
		if err := s.final(ctx, &bought[i]); err != nil {
			return err
		}
		// The second is bought when the first one's delivery is under way.
		if err := s.eventually(ctx, func() error {
			if attempts, _, _ := r.seen(); len(attempts) == 0 {
				return errors.New("the receiver was not asked")
			}
			return nil
		}); err != nil {
			return err
		}
	}
	err = s.eventually(ctx, func() error {
		if _, taken, _ := r.seen(); len(taken) < len(bought) {
			return fmt.Errorf("the receiver took %d deliveries, want %d", len(taken), len(bought))
		}
		return nil
	})
	attempts, taken, fault := r.seen()
	if err = errors.Join(err, fault); err != nil {
		return err
	}
	if len(attempts) != failures+len(bought) || attempts[0] != attempts[1] || attempts[1] != attempts[2] || attempts[2] == attempts[3] {
		return fmt.Errorf("the receiver was asked for %q, want the first delivery three times and then the second", attempts)
	}
	for i, o := range bought {
		if !strings.Contains(taken[i], `"`+o.ID+`"`) || !strings.Contains(taken[i], `"order.confirmed"`) {
			return fmt.Errorf("delivery %d is %s, want that order %s is confirmed", i+1, taken[i], o.ID)
		}
	}
	return nil
}
