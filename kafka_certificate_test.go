//go:build kafka

package slipway_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/pki"
)

// A renewal is how often the certificate of a service on real Kafka is renewed.
type renewal struct {
	life, every time.Duration
	times       int
}

// F-51 on real brokers, in short: their listeners keep their certificates.
func TestCertificatesAreRenewedUnderLoadOnRealBrokers(t *testing.T) {
	onKafka(t).checkRenewals(t, renewal{life: 16 * time.Second, every: 8 * time.Second, times: 3})
}

// And in full: thirty certificates of a minute.
func TestThirtyCertificatesOfAMinuteOnRealBrokers(t *testing.T) {
	lengthy(t)
	onKafka(t).checkRenewals(t, renewal{life: time.Minute, every: 24 * time.Second, times: 30})
}

func (r *realKafka) checkRenewals(t *testing.T, plan renewal) {
	dir, clock := t.TempDir(), &ageing{life: plan.life}
	mount := func() {
		t.Helper()
		// Issued a while ago: the authority issues for a minute at least.
		own, err := r.Authority().Issue(pki.Request{
			CommonName: "svc-renewed-dev", Usage: pki.Client, Lifetime: time.Minute, Now: time.Now().Add(plan.life - time.Minute),
		})
		if err != nil {
			t.Fatal(err)
		}
		swapFiles(t, dir, map[string]string{"ca.crt": string(r.Authority().PEM()), "tls.crt": string(own.PEM()), "tls.key": string(own.KeyPEM())})
	}
	mount()
	reader := sdkmetric.NewManualReader()
	var handled calls
	var out *slipway.Producer[order]
	var app *slipway.App
	p := r.startWith(t, "renewed", "0", func(cfg *slipway.Config) {
		cfg.Environment.CAFile = filepath.Join(dir, "ca.crt")
		cfg.Environment.CertFile, cfg.Environment.KeyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
		cfg.Dial = clock.dial
		cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	}, func(a *slipway.App) error {
		app, out = a, slipway.NewProducer[order](a, "renewed.in.v1")
		slipway.Handle(a, "renewed.in.v1", func(_ context.Context, m *slipway.Message[order]) error {
			handled.add(m)
			return nil
		})
		return nil
	})
	stop, sent := make(chan struct{}), new(atomic.Int64)
	var senders sync.WaitGroup
	for n := range 4 {
		senders.Go(func() {
			tick := time.NewTicker(25 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i++ {
				select {
				case <-tick.C:
				case <-stop:
					return
				}
				if _, err := out.Send(t.Context(), &order{fmt.Sprint(n, "-", i), 1}); err != nil {
					t.Errorf("send: %v", err)
					return
				}
				sent.Add(1)
			}
		})
	}
	serials := map[string]bool{app.Credential().Certificate.Serial: true}
	for range plan.times {
		<-time.After(plan.every)
		mount()
		now := app.Credential()
		serials[now.Certificate.Serial] = true
		if now.Trust.Refused != 0 || now.Certificate.Principal != "User:svc-renewed-dev" {
			t.Errorf("the credential is %+v", now)
		}
		if err := app.Ready(); err != nil {
			t.Errorf("Ready() = %v", err)
		}
	}
	<-time.After(plan.every)
	close(stop)
	senders.Wait()
	await(t, 30*time.Second, "all that was sent to be handled", func() bool { return len(handled.all()) >= int(sent.Load()) })
	quiet, cut := ended(t, reader)
	p.stop()

	times := make(map[string]int)
	for _, c := range handled.all() {
		times[c.order]++
	}
	repeats := len(handled.all()) - len(times)
	if len(times) != int(sent.Load()) || repeats != 0 {
		t.Errorf("%d sent, %d handled, %d repeats", sent.Load(), len(times), repeats)
	}
	if len(serials) != plan.times+1 {
		t.Errorf("%d certificates were in use, want %d", len(serials), plan.times+1)
	}
	made, oldest := clock.judge(t)
	if quiet < plan.times || cut != 0 {
		t.Errorf("%d connections have ended between requests and %d with some open, want %d and more, and none", quiet, cut, plan.times)
	}
	t.Logf("%d sent and handled once, %d certificates, %d connections of which the oldest %v, %d ended between requests, %d cut",
		len(times), len(serials), made, oldest.Round(time.Millisecond), quiet, cut)
	r.requireDerivedRights(t, "renewed", "svc-renewed-dev.renewed.in.v1.dlq")
}

// ended reads how many connections were ended for their age.
func ended(t *testing.T, reader *sdkmetric.ManualReader) (quiet, cut int) {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != "slipway.certificate.connections.ended" {
				continue
			}
			for _, p := range sum.DataPoints {
				if how, _ := p.Attributes.Value("how"); how.AsString() == "quiet" {
					quiet += int(p.Value)
				} else {
					cut += int(p.Value)
				}
			}
		}
	}
	return quiet, cut
}

// ageing writes down how long connections are open.
type ageing struct {
	life time.Duration // of a certificate

	mu    sync.Mutex
	conns []*aged
}

type aged struct {
	net.Conn
	all            *ageing
	opened, closed time.Time
}

func (a *ageing) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &aged{Conn: conn, all: a, opened: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, c)
	return c, nil
}

func (c *aged) Close() error {
	c.all.mu.Lock()
	if c.closed.IsZero() {
		c.closed = time.Now()
	}
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// judge fails the test if a connection was open for more than 80 % of the life of a
// certificate, and a moment.
func (a *ageing) judge(t *testing.T) (made int, oldest time.Duration) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.conns {
		end := c.closed
		if end.IsZero() {
			end = time.Now()
		}
		oldest = max(oldest, end.Sub(c.opened))
	}
	if most := a.life/10*8 + time.Second/2; oldest > most {
		t.Errorf("a connection was open for %v, want at most %v", oldest, most)
	}
	return len(a.conns), oldest
}
