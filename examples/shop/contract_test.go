package shop_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"

	"example.com/shop/audit/trail"
	"example.com/shop/drive/promise"
	"example.com/shop/mail"
	"example.com/shop/notifications/notice"
	"example.com/shop/recommendations/taste"
	"example.com/shop/users/user"
	"example.com/shop/webhooks/hook"
)

// listeners are the services that only listen; webhooks go out by transport.
func listeners(transport http.RoundTripper) []slipwaytest.Service {
	return []slipwaytest.Service{
		{Files: os.DirFS("users"), Wire: user.Wire},
		{Files: os.DirFS("notifications"), Wire: wireNotifications},
		{Files: os.DirFS("audit"), Wire: trail.Wire},
		{Files: os.DirFS("recommendations"), Wire: taste.Wire},
		{Files: os.DirFS("webhooks"), Wire: hook.WireTo(transport)},
	}
}

// wireNotifications gives the service a mail server that is reached in memory.
func wireNotifications(app *slipway.App) error {
	l := mail.NewPipe()
	return notice.WireSink(l, l.Dial)(app)
}

// world is everybody else's servers.
type world struct {
	mu sync.Mutex
	h  http.Handler
}

func (w *world) receive(h http.Handler) (string, func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.h = h
	return "https://partner.example.com/hooks", func() {}, nil
}

// RoundTrip implements [http.RoundTripper].
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	h := w.h
	w.mu.Unlock()
	if h == nil {
		return nil, errors.New("nobody is there")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func TestTheShopKeepsWhatItPromisesToCallers(t *testing.T) {
	t.Parallel()
	outside := new(world)
	slipwaytest.RunAll(t, slices.Concat(core, listeners(outside)), func(t *testing.T, k *slipwaytest.Kit) {
		inside := inMemory{make(map[string]http.Handler)}
		cfg := promise.Config{URLs: make(map[string]string), Receive: outside.receive, Client: &http.Client{Transport: inside}}
		for _, service := range promise.Services {
			cfg.URLs[service] = "http://" + service
			inside.handlers[service] = k.HTTP(service)
		}
		for _, r := range promise.Run(t.Context(), cfg) {
			t.Logf("%s (%v)", r.Promise, r.Took)
			if r.Err != nil {
				t.Errorf("%s: %v", r.Promise, r.Err)
			}
		}
	})
}
