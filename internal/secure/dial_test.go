package secure_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/secure"
)

// web is a server on this machine that answers with the serial number of its
// client's certificate.
func (m *mount) web() *httptest.Server {
	m.t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, secure.Serial(r.TLS.PeerCertificates[0]))
	}))
	s.TLS = secure.Server(secure.Fixed(secure.Material{Certificate: new(server(m.t, m.ca).TLS()), Roots: m.ca.Pool()}))
	s.StartTLS()
	m.t.Cleanup(s.Close)
	return s
}

// to dials one server whatever address is asked for.
func to(s *httptest.Server, dials *atomic.Int64) secure.DialFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
}

func TestANewCertificateIsUsedAtTheNextConnection(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	f, s := m.open(), m.web()
	var dials atomic.Int64
	transport := &http.Transport{DialTLSContext: f.HTTPDialer(to(s, &dials))}
	f.OnChange(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	for renewals := range 3 {
		for range 3 {
			resp, err := client.Get("https://kafka-0/")
			if err != nil {
				t.Fatal(err)
			}
			shown, err := io.ReadAll(resp.Body)
			if want := uses(t, f); err != nil || string(shown) != want {
				t.Errorf("after %d renewals %s was shown, %v, want %s", renewals, shown, err, want)
			}
			resp.Body.Close()
		}
		m.renew(m.issue(time.Hour))
		uses(t, f) // as a dial to a broker, a collection of metrics or a probe does
	}
	if dials.Load() != 3 {
		t.Errorf("%d connections, want one for each certificate", dials.Load())
	}
}

func TestADialerShakesHandsWithTheHostThatWasDialled(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		address string
		change  func(*mount)
		refused bool
	}{
		"the name in the certificate": {"kafka-0:9093", func(*mount) {}, false},
		"another name":                {"kafka-1:9093", func(*mount) {}, true},
		"another authority": {"kafka-0:9093", func(m *mount) {
			m.write("ca.crt", newAuthority(m.t, "other").PEM())
		}, true},
		"both authorities": {"kafka-0:9093", func(m *mount) {
			m.write("ca.crt", append(newAuthority(m.t, "other").PEM(), m.ca.PEM()...))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMount(t)
			s := m.web()
			tt.change(m)
			f := m.open()
			var dials atomic.Int64
			conn, err := f.Dialer(to(s, &dials))(t.Context(), "tcp", tt.address)
			shook, ours := errors.AsType[*secure.HandshakeError](err)
			switch {
			case tt.refused && (!ours || shook.Err == nil || conn != nil):
				t.Errorf("Dialer() = %v, %v, want a handshake error", conn, err)
			case !tt.refused && err != nil:
				t.Errorf("Dialer(): %v", err)
			}
			if conn == nil {
				return
			}
			if got := f.Status().Open; got != 1 {
				t.Errorf("%d connections are open, want 1", got)
			}
			if state := conn.(interface{ ConnectionState() tls.ConnectionState }).ConnectionState(); state.Version != tls.VersionTLS13 {
				t.Errorf("TLS %x, want 1.3", state.Version)
			}
			if err := conn.Close(); err != nil || f.Status().Open != 0 {
				t.Errorf("Close() = %v, %d open", err, f.Status().Open)
			}
		})
	}
}

func TestWhatAnswersNoHandshakeIsAHandshakeError(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	near, far := loopback(t)
	far.Close()
	_, err := m.open().Dialer(func(context.Context, string, string) (net.Conn, error) { return near, nil })(t.Context(), "tcp", "kafka-0:9093")
	if _, ours := errors.AsType[*secure.HandshakeError](err); !ours {
		t.Errorf("Dialer(): %v, want a handshake error", err)
	}
	gone := errors.New("no route")
	_, err = m.open().Dialer(func(context.Context, string, string) (net.Conn, error) { return nil, gone })(t.Context(), "tcp", "kafka-0:9093")
	if _, ours := errors.AsType[*secure.HandshakeError](err); ours || !errors.Is(err, gone) {
		t.Errorf("Dialer(): %v, want what dialling said", err)
	}
}
