package secure_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

func TestAClientSpeaksToNoServerOfThePast(t *testing.T) {
	t.Parallel()
	ours := newIssuer(t, "cluster-ca")
	shows := func(cert tls.Certificate) func(*tls.Config) {
		return func(c *tls.Config) { c.Certificates[0] = cert }
	}
	serves := func(c *x509.Certificate) {
		c.ExtKeyUsage, c.DNSNames = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []string{"other.example"}
	}
	names := func(c *x509.Certificate) { c.DNSNames = []string{"listener.example"} }
	for name, tt := range map[string]struct {
		change func(*tls.Config)
		want   diag.Code // none: it is spoken to
	}{
		"TLS 1.3":          {func(*tls.Config) {}, ""},
		"TLS 1.2":          {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, ""},
		"TLS 1.1":          {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, diag.TLSOldVersion},
		"CBC":              {older(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), diag.TLSPeerRefused},
		"another host":     {shows(ours.leaf(t, "listener", serves)), diag.TLSWrongHost},
		"a stranger's":     {shows(newIssuer(t, "cluster-ca").server(t)), diag.TLSUnknownCA},
		"a client's":       {shows(ours.leaf(t, "listener", names)), diag.TLSWrongUsage},
		"one with no leaf": {func(c *tls.Config) { c.Certificates[0].Leaf = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := &tls.Config{Certificates: []tls.Certificate{ours.server(t)}}
			tt.change(cfg)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				if conn, err := l.Accept(); err == nil {
					_ = tls.Server(conn, cfg).HandshakeContext(t.Context())
					conn.Close()
				}
			}()
			raw, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			client := secure.Client(ours.pool())
			client.ServerName = "listener.example"
			err = tls.Client(raw, client).HandshakeContext(t.Context())
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && err == nil:
				t.Error("the handshake succeeded")
			case tt.want != "":
				if got := secure.Classify(err, secure.Handshake{Roots: ours.pool()}); got.Code != tt.want {
					t.Errorf("%v is classified as %v, want %s", err, got, tt.want)
				}
			}
		})
	}
}

func TestTransportsAreNobodyElses(t *testing.T) {
	t.Parallel()
	cfg := secure.Client(x509.NewCertPool())
	a, b := secure.Transport(cfg), secure.Transport(nil)
	if a.TLSClientConfig == cfg || a.TLSClientConfig.RootCAs != cfg.RootCAs {
		t.Error("the configuration is not a copy")
	}
	if b.TLSClientConfig.MinVersion != tls.VersionTLS12 || b.TLSClientConfig.CipherSuites == nil || a == b {
		t.Errorf("without a configuration TLS is %+v", b.TLSClientConfig)
	}
}
