package serve

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/slipwaytest"
)

// An office is the authority of operators, and the files of an endpoint that
// trusts it.
type office struct {
	t         *testing.T
	dir       string
	authority *pki.Authority
}

func newOffice(t *testing.T) office {
	t.Helper()
	authority, err := pki.NewAuthority("operators", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := office{t, t.TempDir(), authority}
	o.write("ca.crt", authority.PEM())
	o.serve(o.issue("orders.prod.example", pki.Server))
	return o
}

func (o office) file(name string) string { return filepath.Join(o.dir, name) }

// write replaces a file at once, as mounts do.
func (o office) write(name string, content []byte) {
	o.t.Helper()
	if err := os.WriteFile(o.file(name+".new"), content, 0o600); err != nil {
		o.t.Fatal(err)
	}
	if err := os.Rename(o.file(name+".new"), o.file(name)); err != nil {
		o.t.Fatal(err)
	}
}

// serve makes a certificate the endpoint's. It is the only file of both: two
// that change one after the other would be another test.
func (o office) serve(c *pki.Certificate) {
	o.t.Helper()
	o.write("tls.pem", append(c.PEM(), c.KeyPEM()...))
}

func (o office) issue(name string, usage pki.Usage) *pki.Certificate {
	o.t.Helper()
	req := pki.Request{CommonName: name, Usage: usage}
	if usage == pki.Server {
		req.DNSNames, req.IPs = []string{name}, []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	c, err := o.authority.Issue(req)
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

func (o office) variables(addr string) map[string]string {
	return map[string]string{
		"ADMIN_ADDRESS": addr, "ADMIN_CERT_PATH": o.file("tls.pem"), "ADMIN_KEY_PATH": o.file("tls.pem"), "ADMIN_CLIENT_CA_PATH": o.file("ca.crt"),
	}
}

// client is an operator's, which shows a certificate or none.
func (o office) client(shows *pki.Certificate) *http.Client {
	cfg := secure.Client(o.authority.Pool())
	if shows != nil {
		pair := shows.TLS()
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	transport := secure.Transport(cfg)
	transport.DisableKeepAlives = true
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func TestTheAdminEndpointBehindMutualTLSAnswersOperatorsOnly(t *testing.T) {
	t.Parallel()
	o, addr := newOffice(t), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	more := o.variables(addr)
	stderr, signals, status := startIn(t, freePort(t), func(*slipway.App) error { return nil }, more)
	get := func(c *http.Client, headers ...string) (int, error) {
		t.Helper()
		for {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/slipway/v1/health", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "orders.prod.example:9180" // which is not this machine, and need not be
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			resp, err := c.Do(req)
			switch {
			case err == nil:
				defer resp.Body.Close()
				_, err = io.Copy(io.Discard, resp.Body)
				return resp.StatusCode, err
			case !errors.Is(err, syscall.ECONNREFUSED):
				return 0, err
			}
			select {
			case code := <-status:
				t.Fatalf("the service ended with status %d\n%s", code, stderr)
			default: // it is starting
			}
		}
	}
	refused := func(what string, c *http.Client, code diag.Code) {
		t.Helper()
		if got, err := get(c); err == nil {
			t.Errorf("%s was answered %d", what, got)
		}
		for !strings.Contains(stderr.String(), "code="+string(code)) { // just after the client hears of it
			select {
			case <-t.Context().Done():
				t.Fatalf("%s: the log does not tell %s:\n%s", what, code, stderr)
			case <-time.After(time.Millisecond):
			}
		}
	}
	anna := o.issue("anna", pki.Client)
	operator := o.client(anna)
	for range 2 { // the second resumes
		if code, err := get(operator); code != http.StatusOK || err != nil {
			t.Fatalf("an operator is answered %d, %v\n%s", code, err, stderr)
		}
	}
	refused("somebody without a certificate", o.client(nil), diag.TLSNoCertificate)
	refused("the endpoint's own certificate", o.client(o.issue("orders", pki.Server)), diag.TLSWrongUsage)
	refused("an operator of elsewhere", office{t: t, authority: o.authority}.client(newOffice(t).issue("anna", pki.Client)), diag.TLSUnknownCA)

	number, now := new(big.Int), time.Now()
	if _, ok := number.SetString(anna.Serial(), 16); !ok {
		t.Fatal(anna.Serial())
	}
	list, err := o.authority.RevocationList(1, []pki.Revoked{{Serial: number, At: now}}, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode(list); block == nil {
		t.Fatalf("the revocation list is %q", list)
	}
	o.write("ca.crl", list)
	refused("a revoked operator who resumes", operator, diag.TLSRevokedResumed)
	refused("a revoked operator", o.client(anna), diag.TLSRevoked)

	o.serve(o.issue("renewed.prod.example", pki.Server))
	bob := o.client(o.issue("bob", pki.Client))
	if code, err := get(bob); code != http.StatusOK || err != nil {
		t.Errorf("another operator, by a renewed certificate: %d, %v", code, err)
	}
	if code, err := get(bob, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); code != http.StatusOK || err != nil {
		t.Errorf("a page that only looks: %d, %v", code, err)
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitOK {
		t.Errorf("exit status = %d\n%s", got, stderr)
	}
}

// A keeper dials once and keeps its connection.
func (o office) keeper(shows *pki.Certificate) (c *http.Client, dialled *atomic.Int32) {
	c, dialled = o.client(shows), new(atomic.Int32)
	transport := c.Transport.(*http.Transport)
	transport.DisableKeepAlives = false
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return c, dialled
}

// looks asks for the health and returns the status; it waits for the endpoint to
// come up.
func looks(t *testing.T, c *http.Client, addr string, stderr *buffer, status <-chan int) (int, string, error) {
	t.Helper()
	for {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/slipway/v1/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err == nil {
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return resp.StatusCode, string(body), err
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return 0, "", err
		}
		select {
		case code := <-status:
			t.Fatalf("the service ended with status %d\n%s", code, stderr)
		default:
		}
	}
}

func TestAConnectionThatIsKeptEndsWithItsCertificatesRevocation(t *testing.T) {
	t.Parallel()
	o, addr := newOffice(t), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	stderr, signals, status := startIn(t, freePort(t), func(*slipway.App) error { return nil }, o.variables(addr))
	anna := o.issue("anna", pki.Client)
	c, dialled := o.keeper(anna)
	for range 2 {
		if code, _, err := looks(t, c, addr, stderr, status); code != http.StatusOK || err != nil {
			t.Fatalf("an operator is answered %d, %v\n%s", code, err, stderr)
		}
	}
	before := dialled.Load() // those that came too early among them
	number, now := new(big.Int), time.Now()
	number.SetString(anna.Serial(), 16)
	list, err := o.authority.RevocationList(1, []pki.Revoked{{Serial: number, At: now}}, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	o.write("ca.crl", list)
	if code, body, err := looks(t, c, addr, stderr, status); code != http.StatusForbidden || !strings.Contains(body, string(diag.RuntimeAdminDenied)) || !strings.Contains(body, "revoked") {
		t.Errorf("a revoked operator on the connection of before is answered %d, %s, %v", code, body, err)
	}
	if n := dialled.Load(); n != before {
		t.Fatalf("it was another connection: %d were dialled, then %d", before, n)
	}
	if code, _, err := looks(t, c, addr, stderr, status); err == nil {
		t.Errorf("the next request was answered %d", code)
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitOK {
		t.Errorf("exit status = %d\n%s", got, stderr)
	}
}

func TestAServiceOfTheClusterIsNoOperator(t *testing.T) {
	t.Parallel()
	o, addr := newOffice(t), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	more := o.variables(addr)
	more["ADMIN_PRINCIPALS"] = "admin-prod, anna"
	stderr, signals, status := startIn(t, freePort(t), func(*slipway.App) error { return nil }, more)
	for name, want := range map[string]int{
		"admin-prod": http.StatusOK, "anna": http.StatusOK, "svc-orders-prod": http.StatusForbidden, "admin-prod2": http.StatusForbidden, "anna.example": http.StatusForbidden,
	} {
		shows := o.issue(name, pki.Client)
		if code, body, err := looks(t, o.client(shows), addr, stderr, status); code != want || err != nil {
			t.Errorf("%s is answered %d, want %d: %s, %v", shows.CommonName(), code, want, body, err)
		}
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitOK {
		t.Errorf("exit status = %d\n%s", got, stderr)
	}
}

// Whoever lets the authority of the cluster vouch for operators has every service
// in, so something else has to tell operators apart.
func TestTheAuthorityOfServicesAloneVouchesForNoOperator(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		more map[string]string
		want bool // it starts
	}{
		"alone":      {nil, false},
		"with names": {map[string]string{"ADMIN_PRINCIPALS": "admin-prod"}, true},
		"with token": {map[string]string{"ADMIN_TOKEN_PATH": "/token"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			files, err := secure.NewFiles(secure.FilesConfig{CA: o.file("ca.crt"), Cert: o.file("tls.pem"), Key: o.file("tls.pem")})
			if err != nil {
				t.Fatal(err)
			}
			env := slipway.Environment{CAFile: o.file("ca.crt"), AdminPrincipals: tt.more["ADMIN_PRINCIPALS"], AdminTokenFile: tt.more["ADMIN_TOKEN_PATH"]}
			if _, err := certified(env, files); (err == nil) != tt.want || err != nil && !errors.Is(err, diag.RuntimeAdminOpen) {
				t.Errorf("certified() = %v, want it to start: %t", err, tt.want)
			}
		})
	}
}

func TestWithACertificateAndATokenFileBothAreNeeded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write("token", []byte("the-first-long-token\n"))
	configure := func(cfg *slipway.Config) {
		cfg.Environment.AdminTokenFile, cfg.Environment.AdminCertFile = o.file("token"), o.file("tls.pem")
	}
	administered(t, configure, func(t *testing.T, _ *slipwaytest.Kit, _ *slipway.App, h http.Handler) {
		for want, headers := range map[int][]string{
			http.StatusUnauthorized: nil,
			http.StatusOK:           {"Authorization", "Bearer the-first-long-token"},
		} {
			if code, _ := ask(t, h, http.MethodGet, "/slipway/v1/entries", "", headers...); code != want {
				t.Errorf("with %q: %d, want %d", headers, code, want)
			}
		}
	})
}

func TestFilesThatCannotServeEndTheServiceAtItsStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(office)
		want   string
	}{
		"none":                   {func(o office) { os.Remove(o.file("tls.pem")) }, "error[SLP-RUN-003]"},
		"a client's certificate": {func(o office) { o.serve(o.issue("anna", pki.Client)) }, "error[SLP-TLS-006]"},
		"no authority":           {func(o office) { o.write("ca.crt", []byte("hello")) }, "error[SLP-RUN-003]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			tt.change(o)
			stderr, _, status := startIn(t, freePort(t), func(*slipway.App) error { return nil }, o.variables("127.0.0.1:0"))
			if code := <-status; code != exitFailed || !strings.Contains(stderr.String(), tt.want) || !strings.Contains(stderr.String(), "fix: ") {
				t.Errorf("exit status %d, want %d and %s with its fix:\n%s", code, exitFailed, tt.want, stderr)
			}
		})
	}
}
