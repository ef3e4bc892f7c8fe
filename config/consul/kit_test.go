package consul_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/config/consul"
)

// A server answers as Consul's API documentation has it, blocking queries
// included, and fails the test if it is asked otherwise.
type server struct {
	*testing.T
	pipes  chan net.Conn
	closed chan struct{}
	http   *http.Server
	done   sync.WaitGroup

	mu      sync.Mutex
	keys    map[string]string
	index   uint64
	written chan struct{} // closed when something is
	token   string        // that is asked for
	status  int           // if set, of every answer
	asked   int
}

const token = "0b1fe2a4-acl-token"

// withServer runs a test against a server in virtual time.
func withServer(t *testing.T, test func(s *server)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.done.Go(func() { _ = s.http.Serve(s) })
		defer s.done.Wait()
		defer s.http.Close()
		test(s)
		synctest.Wait()
	})
}

func newServer(t *testing.T) *server {
	s := &server{T: t, pipes: make(chan net.Conn), closed: make(chan struct{}), written: make(chan struct{}), keys: map[string]string{}, index: 10}
	s.http = &http.Server{Handler: s}
	return s
}

// Accept, Close and Addr make the server a listener in memory.
func (s *server) Accept() (net.Conn, error) {
	select {
	case c := <-s.pipes:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *server) Close() error   { close(s.closed); return nil }
func (s *server) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8500} }

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case s.pipes <- far:
		return near, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *server) source(change func(*consul.Config)) *consul.Source {
	s.Helper()
	cfg := consul.Config{Address: "http://127.0.0.1:8500", Prefix: "config/orders", Dialer: s.dial}
	if change != nil {
		change(&cfg)
	}
	source, err := consul.New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	return source
}

func (s *server) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

func (s *server) put(key, value string) { s.set(func() { s.keys[key] = value }) }

// set changes something, which moves the index.
func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.index++
	close(s.written)
	s.written = make(chan struct{})
}

// ServeHTTP answers GET /v1/kv/PREFIX/?recurse.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	prefix, ok := strings.CutPrefix(r.URL.Path, "/v1/kv/")
	if !ok || r.Method != http.MethodGet || !query.Has("recurse") || !query.Has("consistent") {
		s.Errorf("asked %s %s", r.Method, r.URL)
	}
	if query.Has("index") {
		s.block(r, query.Get("index"), query.Get("wait"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	w.Header().Set("X-Consul-Index", strconv.FormatUint(s.index, 10))
	switch {
	case s.status != 0:
		http.Error(w, "rpc error with token "+r.Header.Get("X-Consul-Token"), s.status)
		return
	case s.token != "" && r.Header.Get("X-Consul-Token") != s.token:
		http.Error(w, "Permission denied: token with AccessorID 'x' lacks permission 'key:read'", http.StatusForbidden)
		return
	}
	type pair struct {
		Key         string
		Value       []byte
		Flags       uint64
		ModifyIndex uint64
	}
	var pairs []pair
	for key, value := range s.keys {
		if strings.HasPrefix(key, prefix) {
			pairs = append(pairs, pair{Key: key, Value: []byte(value), ModifyIndex: s.index})
		}
	}
	if len(pairs) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.Key, b.Key) })
	if err := json.NewEncoder(w).Encode(pairs); err != nil {
		s.Error(err)
	}
}

// block waits as a blocking query does.
func (s *server) block(r *http.Request, index, wait string) {
	after, err := strconv.ParseUint(index, 10, 64)
	if err != nil || after == 0 {
		s.Errorf("index is %q, and has to be above 0", index)
	}
	d, err := time.ParseDuration(wait)
	if err != nil || d > 10*time.Minute {
		s.Errorf("wait is %q", wait)
	}
	over := time.After(d + d/16)
	for {
		s.mu.Lock()
		newer, written := s.index > after || s.index < after, s.written
		s.mu.Unlock()
		if newer {
			return
		}
		select {
		case <-written:
		case <-over:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// watch watches until the function it returns is called, and counts changes.
func (s *server) watch(source *consul.Source) (changes func() int, stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	var mu sync.Mutex
	n := 0
	var watching sync.WaitGroup
	watching.Go(func() {
		_ = source.Watch(ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			n++
		})
	})
	synctest.Wait()
	return func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return n
		}, func() {
			cancel()
			watching.Wait()
		}
}

// load loads, and gives values by key.
func (s *server) load(source *consul.Source) map[string]string {
	s.Helper()
	given, err := source.Load(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range given {
		all[g.Key] = g.Text
	}
	return all
}
