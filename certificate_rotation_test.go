package slipway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/slipwaytest"
)

// leafLife is how long a client's certificate lives, from when it is mounted.
const leafLife = time.Minute

// A gate stands before a cluster that knows no client certificates: it demands
// one of every connection, passes on what comes through, and writes down when
// each was open and what was unanswered at its end.
type gate struct {
	t     *testing.T
	ca    *pki.Authority
	inner func(ctx context.Context, network, addr string) (net.Conn, error)
	trust *tls.Config // of the cluster behind
	dir   string      // what the service has mounted

	mu     sync.Mutex
	front  *pki.Certificate
	passes []*pass
	faults []string
}

// A pass is one connection through the gate.
type pass struct {
	serial         string
	left           time.Duration // of the client's certificate when it was opened
	opened, closed time.Time
	asked, told    counter
	kafka          bool
}

// newGate mounts the first certificate.
func newGate(t *testing.T) *gate {
	t.Helper()
	ca, err := pki.NewAuthority("gate", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, ca: ca, dir: t.TempDir()}
	g.mount()
	return g
}

// mount renews the service's certificate.
func (g *gate) mount() {
	g.t.Helper()
	own, err := g.ca.Issue(pki.Request{CommonName: jobsGroup, Usage: pki.Client, Lifetime: leafLife, Now: time.Now()})
	if err != nil {
		g.t.Fatal(err)
	}
	swapFiles(g.t, g.dir, map[string]string{"ca.crt": string(g.ca.PEM()), "tls.crt": string(own.PEM()), "tls.key": string(own.KeyPEM())})
}

// before has a service go through the gate.
func (g *gate) before(cfg *slipway.Config) {
	roots, err := os.ReadFile(cfg.Environment.CAFile)
	if err != nil {
		g.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	g.trust = secure.Client(pool)
	g.inner, cfg.Dial = cfg.Dial, g.dial
	cfg.Environment.CAFile = filepath.Join(g.dir, "ca.crt")
	cfg.Environment.CertFile = filepath.Join(g.dir, "tls.crt")
	cfg.Environment.KeyFile = filepath.Join(g.dir, "tls.key")
}

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	back, err := g.inner(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	go g.serve(far, back, addr)
	return near, nil
}

// certificate is the gate's own, which is as short-lived.
func (g *gate) certificate() (*tls.Certificate, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.front == nil || time.Until(g.front.NotAfter()) < leafLife/2 {
		front, err := g.ca.Issue(pki.Request{
			CommonName: "gate-0", Usage: pki.Server, DNSNames: []string{"localhost"}, IPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Lifetime: leafLife, Now: time.Now(),
		})
		if err != nil {
			return nil, err
		}
		g.front = front
	}
	c := g.front.TLS()
	return &c, nil
}

func (g *gate) serve(far, back net.Conn, addr string) {
	host, port, _ := net.SplitHostPort(addr)
	front := tls.Server(far, secure.Server(func() (secure.Material, error) {
		cert, err := g.certificate()
		return secure.Material{Certificate: cert, Roots: g.ca.Pool()}, err
	}))
	trust := g.trust.Clone()
	trust.ServerName = host
	rear := tls.Client(back, trust)
	defer func() { _ = errors.Join(front.Close(), rear.Close()) }()
	if err := errors.Join(front.Handshake(), rear.Handshake()); err != nil {
		g.mu.Lock()
		g.faults = append(g.faults, err.Error())
		g.mu.Unlock()
		return
	}
	leaf := front.ConnectionState().PeerCertificates[0]
	p := &pass{serial: secure.Serial(leaf), left: time.Until(leaf.NotAfter), opened: time.Now(), kafka: strings.HasPrefix(port, "909")}
	g.mu.Lock()
	g.passes = append(g.passes, p)
	g.mu.Unlock()
	var answers sync.WaitGroup
	answers.Go(func() { _, _ = io.Copy(io.MultiWriter(front, &p.told), rear) })
	_, _ = io.Copy(io.MultiWriter(&p.asked, rear), front)
	g.mu.Lock()
	p.closed = time.Now()
	g.mu.Unlock()
	_ = rear.Close()
	answers.Wait()
}

// A counter counts the frames of Kafka's protocol that were written to it whole.
type counter struct {
	head []byte
	left int
	n    int
}

func (c *counter) Write(b []byte) (int, error) {
	for _, x := range b {
		if c.left > 0 {
			if c.left--; c.left == 0 {
				c.n++
			}
			continue
		}
		if c.head = append(c.head, x); len(c.head) == 4 {
			c.left, c.head = int(binary.BigEndian.Uint32(c.head)), nil
		}
	}
	return len(b), nil
}

// judge checks that no connection has outlived what it may, and that none has
// ended with a request unanswered.
func (g *gate) judge(rotations int) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	serials, oldest, requests, dropped := make(map[string]bool), time.Duration(0), 0, 0
	for _, p := range g.passes {
		serials[p.serial] = true
		open := p.closed.IsZero() // still, and a request may be under way
		if open {
			p.closed = time.Now()
		}
		age := p.closed.Sub(p.opened)
		if most := p.left / 10 * 8; age > most && p.kafka {
			g.t.Errorf("a connection was open for %v, and its certificate had %v left when it was made", age, p.left)
		}
		oldest = max(oldest, age)
		if p.kafka && !open {
			requests, dropped = requests+p.asked.n, dropped+p.asked.n-p.told.n
		}
	}
	g.t.Logf("%d certificates on %d connections, the oldest %v; %d requests, %d without an answer", len(serials), len(g.passes), oldest, requests, dropped)
	if dropped != 0 {
		g.t.Errorf("%d of %d requests were dropped, want none", dropped, requests)
	}
	if len(g.faults) > 0 {
		g.t.Errorf("%d handshakes failed: %s", len(g.faults), g.faults[0])
	}
	if len(serials) < rotations || oldest < leafLife/3 {
		g.t.Errorf("%d certificates were shown and the oldest connection was %v: too little was put to the test", len(serials), oldest)
	}
}

// F-51: certificates of a minute are renewed thirty times under load. Nobody
// notices: no handler's send fails, nothing is lost or repeated, no request is
// dropped.
func TestCertificatesAreRenewedUnderLoadAndNobodyNotices(t *testing.T) {
	t.Parallel()
	rotations := 30
	if testing.Short() { // the race detector runs so
		rotations = 6
	}
	gated(t, func(t *testing.T, s *study, k *slipwaytest.Kit, g *gate, app *slipway.App) {
		for range rotations {
			s.load(k, leafLife*6/10, numbered(4))
			before := app.Credential().Certificate.Serial
			g.mount()
			if after := app.Credential().Certificate; after.Serial == before || after.Problem != "" {
				t.Errorf("after the renewal: %+v, before it %s", after, before)
			}
		}
		s.await(k, s.sent, 10*time.Minute)
		v := s.judge(k, false)
		if v.Counts.Repeats != 0 || v.Counts.Effects != s.sent {
			t.Errorf("%d attempts at %d records, %d repeats, want one each", v.Counts.Effects, s.sent, v.Counts.Repeats)
		}
		if out := len(k.Records(jobsOut)); out != s.sent {
			t.Errorf("%d records were passed on, want %d", out, s.sent)
		}
		if got := app.Credential().Trust; got.Refused != 0 || len(got.Faults) > 0 {
			t.Errorf("trust = %+v, want nothing refused", got)
		}
		if err := k.Ready(worker); err != nil {
			t.Errorf("Ready() = %v", err)
		}
		g.judge(rotations)
	})
}

// gated runs a test against a service behind a gate.
func gated(t *testing.T, test func(t *testing.T, s *study, k *slipwaytest.Kit, g *gate, app *slipway.App)) {
	t.Helper()
	s := newStudy(t)
	var g *gate
	var app *slipway.App
	services := []slipwaytest.Service{{
		Files: relaying("direct", retrying),
		Wire:  func(a *slipway.App) error { app = a; return s.relay(a) },
		Configure: func(cfg *slipway.Config) {
			g = newGate(t)
			g.before(cfg)
		},
	}}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) { test(t, s, k, g, app) })
}

// F-53, in a service: what is mounted for a while is broken.
func TestABrokenCertificateIsToldAndChangesNothing(t *testing.T) {
	t.Parallel()
	gated(t, func(t *testing.T, s *study, k *slipwaytest.Kit, g *gate, app *slipway.App) {
		g.mount() // the first one's life counts from before it was mounted
		s.load(k, 3*time.Second, numbered(4))
		good := app.Credential().Certificate.Serial
		for n, broken := range []map[string]string{
			{"tls.crt": "", "tls.key": "", "ca.crt": string(g.ca.PEM())},
			{"tls.crt": "-----BEGIN CERTIFICATE-----\nMII", "tls.key": "half", "ca.crt": string(g.ca.PEM())},
			{"ca.crt": "nothing"},
		} {
			swapFiles(t, g.dir, broken)
			s.load(k, 3*time.Second, numbered(4))
			for id := range 3 {
				k.CutBroker(id)() // what is opened anew is opened with the one before
			}
			s.load(k, 3*time.Second, numbered(4))
			got := app.Credential()
			if got.Certificate.Serial != good || len(got.Trust.Authorities) != 1 || len(got.Trust.Faults) == 0 || got.Trust.Refused < int64(n+1) {
				t.Errorf("after change %d: %+v, %+v", n+1, got.Certificate, got.Trust)
			}
			if err := k.Ready(worker); err != nil {
				t.Errorf("after change %d: Ready() = %v", n+1, err)
			}
		}
		requireLogged(t, k, diag.TLSPairUnread)
		requireLogged(t, k, diag.TLSRootsUnread)
		g.mount()
		if got := app.Credential(); got.Certificate.Serial == good || len(got.Trust.Faults) > 0 {
			t.Errorf("after the repair: %+v, %+v", got.Certificate, got.Trust)
		}
		s.await(k, s.sent, 10*time.Minute)
		s.judge(k, true)
	})
}

func TestACertificateThatNobodyRenewsIsToldBeforeItEndsAndTheServiceGoesOnAfterTheRenewal(t *testing.T) {
	t.Parallel()
	gated(t, func(t *testing.T, s *study, k *slipwaytest.Kit, g *gate, app *slipway.App) {
		g.mount()
		app.Credential() // it is noticed when it is looked at
		s.load(k, 45*time.Second, numbered(4))
		if got := app.Credential().Certificate.Problem; got != "" {
			t.Errorf("after three quarters of its life: %s", got)
		}
		s.load(k, 5*time.Second, numbered(4))
		file := filepath.Join(g.dir, "tls.crt")
		if got := app.Credential().Certificate.Problem; !strings.Contains(got, string(diag.TLSOwnScarce)) || !strings.Contains(got, file) {
			t.Errorf("with a sixth of its life left the problem is %q, want %s and the file", got, diag.TLSOwnScarce)
		}
		if err := k.Ready(worker); err != nil {
			t.Errorf("Ready() = %v while it is valid", err)
		}
		k.Advance(11 * time.Second)
		if err := k.Ready(worker); !errors.Is(err, diag.TLSOwnExpired) || !strings.Contains(err.Error(), file) {
			t.Errorf("Ready() = %v after its end, want %s and the file", err, diag.TLSOwnExpired)
		}
		k.Advance(2 * time.Minute)
		open := 0
		g.mu.Lock()
		for _, p := range g.passes {
			if p.closed.IsZero() {
				open++
			}
		}
		g.mu.Unlock()
		if open > 0 {
			t.Errorf("%d connections have outlived their certificate", open)
		}
		s.send(k, numbered(4)...)
		g.mount()
		if err := k.Ready(worker); errors.Is(err, diag.TLSOwnExpired) {
			t.Errorf("Ready() = %v after the renewal", err)
		}
		s.await(k, s.sent, 10*time.Minute)
		s.judge(k, true)
	})
}

// swapFiles changes all files at once, as the kubelet does.
func swapFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	generation := fmt.Sprint("..", time.Now().UnixNano())
	must(os.Mkdir(filepath.Join(dir, generation), 0o700))
	for name, text := range files {
		must(os.WriteFile(filepath.Join(dir, generation, name), []byte(text), 0o600))
		if old == "" {
			must(os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
		}
	}
	must(os.Symlink(generation, filepath.Join(dir, "..data_tmp")))
	must(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if old != "" {
		must(os.RemoveAll(filepath.Join(dir, old)))
	}
}
