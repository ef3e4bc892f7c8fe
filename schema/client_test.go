package schema_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/schema"
)

// secret must never be in an error.
const secret = "hunter2"

// client returns a client of a handler, with a credential.
func client(t *testing.T, h http.HandlerFunc) *schema.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := schema.NewClient(schema.ClientConfig{
		URL:         s.URL + "/base",
		Credentials: func() (string, error) { return "svc:" + secret, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// says answers every request the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestEveryAnswerIsOneOfTheSentinelsAndHasACode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
		code   diag.Code
	}{
		"unknown id":        {says(404, `{"error_code":40403,"message":"no"}`), schema.ErrNotFound, diag.SchemaNotRegistered},
		"wrong path":        {says(404, `404 page not found`), schema.ErrUnavailable, diag.RegistryUnavailable},
		"no api there":      {says(404, `{"error_code":0,"message":"Could not find resource"}`), schema.ErrUnavailable, diag.RegistryUnavailable},
		"wrong password":    {says(401, ``), schema.ErrUnauthorized, diag.RegistryRefused},
		"read only":         {says(403, `{"error_code":40301}`), schema.ErrUnauthorized, diag.RegistryRefused},
		"incompatible":      {says(409, `{"error_code":409,"message":"field b"}`), schema.ErrIncompatible, diag.SchemaIncompatible},
		"unparsable":        {says(422, `{"error_code":42201}`), schema.ErrInvalid, diag.RegistryRejected},
		"broken":            {says(500, `oops`), schema.ErrUnavailable, diag.RegistryUnavailable},
		"overloaded":        {says(429, ``), schema.ErrUnavailable, diag.RegistryUnavailable},
		"a login page":      {says(200, `<html>`), schema.ErrUnavailable, diag.RegistryUnavailable},
		"half an answer":    {says(200, `{"schema":"`), schema.ErrUnavailable, diag.RegistryUnavailable},
		"an empty answer":   {says(200, `{}`), schema.ErrUnavailable, diag.RegistryUnavailable},
		"a connection lost": {hangUp, schema.ErrUnavailable, diag.RegistryUnavailable},
		"a body without end": {func(w http.ResponseWriter, _ *http.Request) {
			for chunk := strings.Repeat("x", 1<<20); ; {
				if _, err := w.Write([]byte(chunk)); err != nil {
					return
				}
			}
		}, schema.ErrUnavailable, diag.RegistryUnavailable},
		"a redirect to itself": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, schema.ErrUnavailable, diag.RegistryUnavailable},
		"a redirect elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		}, schema.ErrUnavailable, diag.RegistryUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, tt.answer)
			_, err := c.Text(t.Context(), 7)
			if !errors.Is(err, tt.want) || !errors.Is(err, tt.code) {
				t.Fatalf("Text = %v, want %v with %s", err, tt.want, tt.code)
			}
			if len(diag.Of(err)) != 1 {
				t.Errorf("Text = %v, want one diagnostic", err)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) {
				t.Errorf("the error shows the credential: %s", text)
			}
			if !strings.Contains(err.Error(), "read schema 7: registry http://127.0.0.1:") {
				t.Errorf("Text = %v, want what was asked of whom", err)
			}
		})
	}
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestRedirectsOnTheSameHostAreFollowed(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/") {
			http.Redirect(w, r, r.URL.Path+"/", http.StatusTemporaryRedirect)
			return
		}
		if _, password, _ := r.BasicAuth(); password != secret {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"schema":"\"string\""}`)
	})
	if _, err := c.Text(t.Context(), 1); err != nil {
		t.Errorf("Text = %v", err)
	}
}

func TestAnIDIsAskedOnceForEver(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/schemas/ids/7" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		if asked.Add(1) == 1 {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `{"schema":"{}","schemaType":"JSON"}`)
	})
	if _, err := c.Text(t.Context(), 7); !errors.Is(err, schema.ErrUnavailable) {
		t.Fatalf("Text = %v, want %v", err, schema.ErrUnavailable)
	}
	for range 3 {
		got, err := c.Text(t.Context(), 7)
		if want := (schema.Text{Format: "json", Schema: "{}"}); err != nil || !got.Equal(want) {
			t.Errorf("Text = %v, %v, want %v", got, err, want)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2: once in vain and once", n)
	}
}

func TestCallersShareOneRequestAndLeaveAlone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		arrived <- struct{}{}
		<-release
		fmt.Fprint(w, `{"schema":"\"string\""}`)
	})
	gone := errors.New("partition revoked")
	ctx, cancel := context.WithCancelCause(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.Text(ctx, 7)
		first <- err
	}()
	<-arrived
	var others sync.WaitGroup
	for range 20 {
		others.Go(func() {
			if _, err := c.Text(t.Context(), 7); err != nil {
				t.Errorf("Text = %v", err)
			}
		})
	}
	cancel(gone)
	if err := <-first; !errors.Is(err, gone) {
		t.Errorf("Text of the caller who left = %v, want %v", err, gone)
	}
	close(release)
	others.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

func TestACallerWhoGivesUpGetsItsReason(t *testing.T) {
	t.Parallel()
	blocked := make(chan struct{})
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		close(blocked)
		<-r.Context().Done()
	})
	shutdown := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-blocked
		cancel(shutdown)
	}()
	if _, err := c.Latest(ctx, "orders-value"); !errors.Is(err, shutdown) || errors.Is(err, schema.ErrUnavailable) {
		t.Errorf("Latest = %v, want %v", err, shutdown)
	}
}

func TestASlowRegistryIsUnavailableAfterTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := schema.NewClient(schema.ClientConfig{
			URL:     "http://registry.example",
			Timeout: 3 * time.Second,
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := c.Text(t.Context(), 1); !errors.Is(err, schema.ErrUnavailable) {
			t.Errorf("Text = %v, want %v", err, schema.ErrUnavailable)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("Text took %v, want 3s", took)
		}
	})
}

func TestACredentialIsReadForEachRequest(t *testing.T) {
	t.Parallel()
	current := "svc:old\n"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "new" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"id":1,"version":1,"schema":"\"string\""}`)
	}))
	t.Cleanup(s.Close)
	c, err := schema.NewClient(schema.ClientConfig{URL: s.URL, Credentials: func() (string, error) { return current, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Latest(t.Context(), "a"); !errors.Is(err, schema.ErrUnauthorized) {
		t.Errorf("with the old password: %v, want %v", err, schema.ErrUnauthorized)
	}
	current = "svc:new\n"
	if _, err := c.Latest(t.Context(), "a"); err != nil {
		t.Errorf("with the new password: %v", err)
	}
}

func TestAnAddressThatIsNoneIsRefusedWithoutShowingItsPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "registry.example:8081", "file:///etc/passwd", "https://", "https://svc:" + secret + "@registry.example",
		"https://registry.example/?token=" + secret, "https://svc:" + secret + "@registry.example:port", "ftp://svc:" + secret + "@x",
	} {
		_, err := schema.NewClient(schema.ClientConfig{URL: address})
		if !errors.Is(err, diag.RegistryAddress) {
			t.Errorf("NewClient(%q) = %v, want %s", address, err, diag.RegistryAddress)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("NewClient(%q) shows the password: %v", address, err)
		}
	}
}

func TestHTTPSNeedsATrustedCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(says(200, `{"id":1,"version":1,"schema":"\"string\""}`))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	untrusted, err := schema.NewClient(schema.ClientConfig{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := untrusted.Latest(t.Context(), "a"); !errors.Is(err, schema.ErrUnavailable) {
		t.Errorf("Latest without the authority = %v, want %v", err, schema.ErrUnavailable)
	}
	trusted, err := schema.NewClient(schema.ClientConfig{URL: s.URL, TLS: s.Client().Transport.(*http.Transport).TLSClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trusted.Latest(t.Context(), "a"); err != nil {
		t.Errorf("Latest with the authority = %v", err)
	}
}

func TestHTTPSGoesOverDialTLSWhereThatIsGiven(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(says(200, `{"id":1,"version":1,"schema":"\"string\""}`))
	t.Cleanup(s.Close)
	dials := 0
	c, err := schema.NewClient(schema.ClientConfig{URL: s.URL, DialTLS: func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 10*time.Second {
			t.Errorf("the dial's deadline is %v, %v, want one of ten seconds", deadline, ok)
		}
		d := tls.Dialer{Config: s.Client().Transport.(*http.Transport).TLSClientConfig}
		return d.DialContext(ctx, network, address)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Latest(t.Context(), "orders"); err != nil || dials != 1 {
		t.Errorf("Latest() = %v after %d dials, want an answer after one", err, dials)
	}
	c.Close() // what is idle
	if _, err := c.Latest(t.Context(), "orders"); err != nil || dials != 2 {
		t.Errorf("Latest() = %v after %d dials, want an answer after two", err, dials)
	}
}
