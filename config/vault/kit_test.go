package vault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/config/vault"
)

// A server answers as Vault's API documentation has it, and fails the test if it
// is asked otherwise. Time in it is the test's.
type server struct {
	*testing.T
	pipes  chan net.Conn
	closed chan struct{}
	http   *http.Server
	done   sync.WaitGroup

	mu       sync.Mutex
	tokens   map[string]time.Time // and when they end; zero for never
	ttl      int64                // of tokens and leases, seconds
	most     time.Duration        // since it was made, that a token or lease may live; 0 for any
	born     map[string]time.Time
	leases   map[string]string // lease id to token
	secrets  map[string]map[string]any
	made     int
	renewals int
	logins   int
	status   int // if set, of every answer
	asked    []string
}

const (
	jwt      = "eyJhbGciOi-service-account"
	secretID = "secret-id-5b2f"
	role     = "orders"
)

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
	s := &server{
		T: t, pipes: make(chan net.Conn), closed: make(chan struct{}), tokens: map[string]time.Time{}, born: map[string]time.Time{},
		leases: map[string]string{}, secrets: map[string]map[string]any{}, ttl: 3600,
	}
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
func (s *server) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8200} }

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

func (s *server) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// source is one that logs in by AppRole unless it is changed.
func (s *server) source(change func(*vault.Config)) *vault.Source {
	s.Helper()
	cfg := vault.Config{
		Address: "http://127.0.0.1:8200", Dialer: s.dial,
		Auth: vault.AppRole{RoleID: role, SecretID: s.file("secret-id", secretID)},
		KV:   []vault.KV{{Path: "services/orders"}},
	}
	if change != nil {
		change(&cfg)
	}
	source, err := vault.New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	return source
}

// ServeHTTP knows what the source needs of Vault's API, each path with the
// methods, headers and bodies of its documentation.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("X-Vault-Request") != "true" {
		s.Error("a request lacks X-Vault-Request, which agents ask for")
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if !ok {
		s.Errorf("asked for %s", r.URL.Path)
	}
	s.asked = append(s.asked, r.Method+" "+path)
	var body map[string]any
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			s.Errorf("%s: body: %v", path, err)
		}
	}
	token := r.Header.Get("X-Vault-Token")
	ends, known := s.tokens[token]
	alive := known && (ends.IsZero() || time.Now().Before(ends))
	login := strings.HasPrefix(path, "auth/") && strings.HasSuffix(path, "/login")
	switch {
	case s.status != 0:
		s.refuse(w, s.status, "as was told, with "+token)
	case login:
		s.login(w, path, body)
	case !alive:
		s.refuse(w, http.StatusForbidden, "permission denied", "invalid token "+token)
	default:
		s.answer(w, r.Method+" "+path, token, body)
	}
}

func (s *server) refuse(w http.ResponseWriter, status int, said ...string) {
	w.WriteHeader(status)
	s.write(w, map[string]any{"errors": said})
}

func (s *server) write(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.Error(err)
	}
}

func (s *server) login(w http.ResponseWriter, path string, body map[string]any) {
	s.logins++
	switch {
	case path == "auth/approle/login" && body["role_id"] == role && body["secret_id"] == secretID:
	case path == "auth/k8s-prod/login" && body["role"] == role && body["jwt"] == jwt:
	default:
		s.refuse(w, http.StatusBadRequest, fmt.Sprintf("invalid role or secret ID %v %v", body["secret_id"], body["jwt"]))
		return
	}
	token := fmt.Sprintf("hvs.token-%d", s.logins)
	s.born[token] = time.Now()
	s.tokens[token] = time.Now().Add(s.duration(token))
	s.write(w, map[string]any{"auth": map[string]any{"client_token": token, "lease_duration": int64(s.duration(token) / time.Second), "renewable": true}})
}

// duration is how long something may live from now on.
func (s *server) duration(what string) time.Duration {
	d := time.Duration(s.ttl) * time.Second
	if s.most > 0 {
		d = min(d, time.Until(s.born[what].Add(s.most)))
	}
	return max(d, 0)
}

func (s *server) answer(w http.ResponseWriter, what, token string, body map[string]any) {
	switch what {
	case "GET auth/token/lookup-self":
		ttl := int64(0)
		if ends := s.tokens[token]; !ends.IsZero() {
			ttl = int64(time.Until(ends) / time.Second)
		}
		s.write(w, map[string]any{"data": map[string]any{"ttl": ttl, "renewable": ttl > 0, "id": token}})
	case "POST auth/token/renew-self":
		s.renewals++
		s.tokens[token] = time.Now().Add(s.duration(token))
		s.write(w, map[string]any{"auth": map[string]any{"client_token": token, "lease_duration": int64(s.duration(token) / time.Second), "renewable": true}})
	case "POST sys/leases/renew":
		id := fmt.Sprint(body["lease_id"])
		if s.leases[id] != token || body["increment"] == nil {
			s.refuse(w, http.StatusBadRequest, "lease not found")
			return
		}
		s.renewals++
		s.write(w, map[string]any{"lease_id": id, "lease_duration": int64(s.duration(id) / time.Second), "renewable": true})
	case "GET database/creds/orders":
		s.made++
		id := fmt.Sprintf("database/creds/orders/%d", s.made)
		s.born[id], s.leases[id] = time.Now(), token
		s.write(w, map[string]any{"lease_id": id, "lease_duration": int64(s.duration(id) / time.Second), "renewable": true,
			"data": map[string]any{"username": fmt.Sprintf("v-orders-%d", s.made), "password": fmt.Sprintf("p/w@%d", s.made)}})
	default:
		path, kv := strings.CutPrefix(what, "GET secret/data/")
		data, ok := s.secrets[path]
		switch {
		case strings.HasSuffix(path, "/other"):
			s.refuse(w, http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
		case kv && ok:
			s.write(w, map[string]any{"data": map[string]any{"data": data, "metadata": map[string]any{"version": 1}}})
		default:
			s.refuse(w, http.StatusNotFound)
		}
	}
}

func (s *server) put(path string, data map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[path] = data
}

func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *server) counts() (logins, made, renewals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins, s.made, s.renewals
}

// watch watches until the function it returns is called, and counts changes.
func (s *server) watch(source *vault.Source) (changes func() int, stop func()) {
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
func (s *server) load(source *vault.Source) map[string]string {
	s.Helper()
	given, err := source.Load(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return byKey(given)
}

func byKey(given []config.Given) map[string]string {
	all := map[string]string{}
	for _, g := range given {
		all[g.Key] = g.Text
		if g.Items != nil {
			all[g.Key] = strings.Join(g.Items, " ")
		}
	}
	return all
}
