package cli_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

func TestAnAdminEndpointBehindMutualTLSIsAskedWithAnOperatorsCertificate(t *testing.T) {
	t.Parallel()
	f, estate, secrets := staffed(t)
	authority, err := pki.NewAuthority("operators", time.Now())
	f.must(err)
	issue := func(req pki.Request) (*pki.Certificate, string) {
		c, err := authority.Issue(req)
		f.must(err)
		dir := filepath.Join(f.dir, req.CommonName)
		f.must(c.Save(dir))
		return c, dir
	}
	endpoint, _ := issue(pki.Request{CommonName: "stock-1", Usage: pki.Server, IPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	_, anna := issue(pki.Request{CommonName: "anna", Usage: pki.Client})
	shown := endpoint.TLS()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	f.must(err)
	source := secure.Fixed(secure.Material{Certificate: &shown, Roots: authority.Pool()})
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"user": "svc-stock-prod", "using": "current", "mounted": ["current", "next"]}`)
	})}
	go func() { _ = server.Serve(secure.Listen(inner, secure.Server(source), slog.New(slog.DiscardHandler))) }()
	t.Cleanup(func() { server.Close() })

	rotate := func(flags ...string) result {
		return f.slipway(append([]string{"user", "rotate", "stock", "--dir", estate, "--secrets", secrets, "--iterations", "4096",
			"--alter", "--instance", "https://" + inner.Addr().String()}, flags...)...)
	}
	cert, key := filepath.Join(anna, pki.CertificateFile), filepath.Join(anna, pki.KeyFile)
	ca := filepath.Join(anna, pki.AuthorityFile)
	f.must(os.WriteFile(filepath.Join(f.dir, "empty.crt"), nil, 0o600))
	f.require(f.slipway("user", "rotate", "stock", "--dir", estate, "--secrets", secrets, "--stage"), 0)
	for name, tt := range map[string]struct {
		flags  []string
		status int
		want   string
	}{
		"nothing":                {nil, 3, "SLP-TLS-002"},
		"no certificate":         {[]string{"--admin-ca-file", ca}, 3, "SLP-TLS-001"},
		"half of a pair":         {[]string{"--admin-ca-file", ca, "--admin-cert-file", cert}, 64, "only one of"},
		"a CA that is none":      {[]string{"--admin-ca-file", filepath.Join(f.dir, "empty.crt")}, 1, "it holds no certificate"},
		"a CA that is not there": {[]string{"--admin-ca-file", filepath.Join(f.dir, "none.crt")}, 1, "no such file"},
		"no pair":                {[]string{"--admin-cert-file", key, "--admin-key-file", key}, 1, "admin-cert-file"},
	} {
		if got := rotate(tt.flags...); got.status != tt.status || !strings.Contains(got.err, tt.want) {
			t.Errorf("%s: status %d, want %d with %q\n%s", name, got.status, tt.status, tt.want, got.err)
		}
	}
	f.require(rotate("--admin-ca-file", ca, "--admin-cert-file", cert, "--admin-key-file", key), 0, "altered")
}
