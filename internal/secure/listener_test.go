package secure_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
)

// A harbour is a listener in memory.
type harbour struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newHarbour() *harbour {
	return &harbour{dialled: make(chan net.Conn), closed: make(chan struct{})}
}

func (h *harbour) Accept() (net.Conn, error) {
	select {
	case conn := <-h.dialled:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *harbour) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (h *harbour) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// dial returns the client's end of a new connection.
func (h *harbour) dial() net.Conn {
	here, there := net.Pipe()
	h.dialled <- there
	c := &eager{Conn: here, written: make(chan []byte, 64)}
	go c.pass()
	return c
}

// An eager connection writes without waiting for the other side to read, as TCP
// does. In a bare pipe both sides of a handshake may write, and wait for ever.
type eager struct {
	net.Conn
	written chan []byte
	once    sync.Once
}

func (c *eager) Write(b []byte) (int, error) {
	c.written <- bytes.Clone(b)
	return len(b), nil
}

func (c *eager) pass() {
	for b := range c.written {
		_, _ = c.Conn.Write(b)
	}
}

func (c *eager) Close() error {
	c.once.Do(func() { close(c.written) })
	return c.Conn.Close()
}

// guarded is a listener in memory that demands certificates, and what it logs.
func guarded(t *testing.T, ours issuer, level slog.Level) (*harbour, *secure.Listener, *bytes.Buffer) {
	t.Helper()
	shown := ours.server(t)
	inner, log := newHarbour(), new(bytes.Buffer)
	cfg := secure.Server(secure.Fixed(secure.Material{Certificate: &shown, Roots: ours.pool()}))
	l := secure.Listen(inner, cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level})))
	t.Cleanup(func() { l.Close() })
	return inner, l, log
}

// shake tries a handshake as a client that shows a certificate.
func shake(raw net.Conn, ours issuer, shows *tls.Certificate) error {
	cfg := secure.Client(ours.pool())
	cfg.ServerName = "localhost"
	if shows != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shows, nil }
	}
	conn := tls.Client(raw, cfg)
	defer raw.Close()
	if err := conn.Handshake(); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1)) // under TLS 1.3 a refusal comes after the client's part is done
	return err
}

func TestAFloodOfRefusalsDoesNotFloodTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours := newIssuer(t, "cluster-ca")
		inner, l, log := guarded(t, ours, slog.LevelInfo)
		for range 300 {
			if err := shake(inner.dial(), ours, nil); err == nil {
				t.Error("a client without a certificate was let in")
			}
		}
		synctest.Wait()
		if n := l.Refused()[diag.TLSNoCertificate]; n != 300 {
			t.Errorf("%d refused, want all of 300: %v", n, l.Refused())
		}
		if n := strings.Count(log.String(), "\n"); n != 5 {
			t.Errorf("%d lines in one second, want 5:\n%s", n, log)
		}
		<-time.After(2 * time.Second)
		log.Reset()
		if err := shake(inner.dial(), ours, nil); err == nil {
			t.Error("a client without a certificate was let in")
		}
		synctest.Wait()
		if !strings.Contains(log.String(), "untold=295") {
			t.Errorf("the next line does not tell how many were left out:\n%s", log)
		}
	})
}

func TestWhatACertificateSaysOfItselfCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours := newIssuer(t, "cluster-ca")
		hostile := issuer{}.leaf(t, "x\nlevel=INFO msg=\"all is well\"\x1b[2J\u202e"+strings.Repeat("y", 9000), nil)
		inner, _, log := guarded(t, ours, slog.LevelInfo)
		if err := shake(inner.dial(), ours, &hostile); err == nil {
			t.Error("a self-signed client was let in")
		}
		synctest.Wait()
		said := log.String()
		if strings.Count(said, "\n") != 1 || len(said) > 1000 || strings.ContainsAny(said, "\x1b\u202e") || !strings.Contains(said, "code="+string(diag.TLSSelfSigned)) {
			t.Errorf("the log has %d bytes: %q", len(said), said)
		}
	})
}

func TestASilentClientIsCutOffAndKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours := newIssuer(t, "cluster-ca")
		inner, l, log := guarded(t, ours, slog.LevelInfo)
		silent, start := inner.dial(), time.Now()
		defer silent.Close()
		good := ours.leaf(t, "svc-orders-prod", nil)
		done := make(chan error, 1)
		go func() {
			conn, err := l.Accept()
			if err == nil {
				conn.Close()
			}
			done <- err
		}()
		next := inner.dial()
		go func() { _ = shake(next, ours, &good) }()
		if err := <-done; err != nil || time.Since(start) > time.Second {
			t.Errorf("the next client waited %v: %v", time.Since(start), err)
		}
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(start) != 10*time.Second {
			t.Errorf("the silent one is cut off after %v: %v", time.Since(start), err)
		}
		synctest.Wait()
		if l.Refused()[diag.TLSBroken] != 1 || log.Len() > 0 {
			t.Errorf("refused %v, log %q; want it counted and not logged", l.Refused(), log)
		}
	})
}

func TestWhoDoesNotSpeakTLSIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours := newIssuer(t, "cluster-ca")
		inner, l, log := guarded(t, ours, slog.LevelDebug)
		plain := inner.dial()
		go func() { _, _ = io.Copy(io.Discard, plain) }()
		fmt.Fprint(plain, "GET / HTTP/1.1\r\n\r\n")
		inner.dial().Close() // a port check
		synctest.Wait()
		if got := l.Refused(); got[diag.TLSNotSpoken] != 1 || got[diag.TLSBroken] != 1 {
			t.Errorf("refused %v, want one each of %s and %s", got, diag.TLSNotSpoken, diag.TLSBroken)
		}
		if said := log.String(); !strings.Contains(said, "level=WARN") || !strings.Contains(said, "level=DEBUG") || strings.Count(said, "\n") != 2 {
			t.Errorf("log:\n%s", said)
		}
		plain.Close()
	})
}

func TestCloseEndsHandshakesThatAreUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours := newIssuer(t, "cluster-ca")
		inner, l, log := guarded(t, ours, slog.LevelDebug)
		silent, start := inner.dial(), time.Now()
		defer silent.Close()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := silent.Read(make([]byte, 1)); err == nil || time.Since(start) != 0 {
			t.Errorf("Close left a connection for %v", time.Since(start))
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close = %v", err)
		}
		if len(l.Refused()) > 0 || log.Len() > 0 {
			t.Errorf("what Close ended is no refusal: %v %s", l.Refused(), log)
		}
	})
}

func TestAListenerWithNothingToShowSaysSo(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]secure.Source{
		"an error":       func() (secure.Material, error) { return secure.Material{}, errors.New("the disk is gone") },
		"no certificate": secure.Fixed(secure.Material{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ours := newIssuer(t, "cluster-ca")
				inner, log := newHarbour(), new(bytes.Buffer)
				l := secure.Listen(inner, secure.Server(source), slog.New(slog.NewTextHandler(log, nil)))
				defer l.Close()
				if err := shake(inner.dial(), ours, nil); err == nil || !strings.Contains(err.Error(), "internal error") {
					t.Errorf("the client hears %v, want that it is not its fault", err)
				}
				synctest.Wait()
				if !strings.Contains(log.String(), "level=ERROR") || len(l.Refused()) > 0 {
					t.Errorf("log %q, refused %v", log, l.Refused())
				}
			})
		})
	}
}

func TestASessionEndsWithTheCertificateItBeganWith(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ours := newIssuer(t, "cluster-ca")
				inner, l, log := guarded(t, ours, slog.LevelInfo)
				go func() {
					for {
						conn, err := l.Accept()
						if err != nil {
							return
						}
						_, _ = conn.Write([]byte("x"))
						conn.Close()
					}
				}()
				end := time.Now().Add(time.Minute)
				short := ours.leaf(t, "svc-orders-prod", func(c *x509.Certificate) { c.NotAfter = end })
				cfg := secure.Client(ours.pool())
				cfg.ServerName, cfg.MaxVersion, cfg.ClientSessionCache = "localhost", version, tls.NewLRUClientSessionCache(4)
				cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &short, nil }
				visit := func() (resumed bool, err error) {
					conn := tls.Client(inner.dial(), cfg)
					defer conn.NetConn().Close()
					_, err = conn.Read(make([]byte, 1))
					return conn.ConnectionState().DidResume, err
				}
				for _, want := range []bool{false, true} {
					if resumed, err := visit(); err != nil || resumed != want {
						t.Fatalf("within its life: resumed %t, %v; want %t\n%s", resumed, err, want, log)
					}
				}
				<-time.After(2 * time.Minute)
				if resumed, err := visit(); err == nil || resumed {
					t.Errorf("after it: resumed %t, %v", resumed, err)
				}
				synctest.Wait()
				if l.Refused()[diag.TLSExpired] != 1 {
					t.Errorf("refused %v, want %s\n%s", l.Refused(), diag.TLSExpired, log)
				}
			})
		})
	}
}
