//go:build kafka

package cli_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A load is a service that produces numbers and one that consumes them.
type load struct {
	end      func()
	done     sync.WaitGroup
	producer *kgo.Client
	consumer *kgo.Client
	produced atomic.Int64
	failed   atomic.Int64
	told     atomic.Pointer[error]

	mu   sync.Mutex
	seen map[int64]bool
}

func (s *site) startLoad() *load {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	l := &load{end: cancel, seen: map[int64]bool{}}
	l.producer = s.client("client", "svc-orders-prod", s.addresses())
	l.consumer = s.client("client", "svc-stock-prod", s.addresses(), kgo.ConsumerGroup("svc-stock-prod"), kgo.ConsumeTopics("orders.created.v1"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	s.t.Cleanup(l.consumer.Close)
	s.t.Cleanup(l.producer.Close)
	l.done.Go(func() {
		every := time.NewTicker(5 * time.Millisecond)
		defer every.Stop()
		for i := int64(0); ctx.Err() == nil; i++ {
			l.producer.Produce(context.WithoutCancel(ctx), &kgo.Record{Topic: "orders.created.v1", Key: strconv.AppendInt(nil, i%97, 10), Value: strconv.AppendInt(nil, i, 10)}, func(_ *kgo.Record, err error) {
				if err != nil {
					l.fail(err)
					return
				}
				l.produced.Add(1)
			})
			<-every.C
		}
	})
	go func() {
		for {
			fetched := l.consumer.PollFetches(s.t.Context())
			if fetched.IsClientClosed() || s.t.Context().Err() != nil {
				return
			}
			fetched.EachError(func(_ string, _ int32, err error) { l.fail(err) })
			fetched.EachRecord(func(r *kgo.Record) {
				n, _ := strconv.ParseInt(string(r.Value), 10, 64)
				l.mu.Lock()
				defer l.mu.Unlock()
				l.seen[n] = true
			})
		}
	}()
	return l
}

func (l *load) fail(err error) {
	l.failed.Add(1)
	l.told.CompareAndSwap(nil, &err)
}

func (l *load) err() error {
	if err := l.told.Load(); err != nil {
		return *err
	}
	return nil
}

// stop ends the producer, waits for the consumer to have read all, and returns
// the counts.
func (l *load) stop() (produced, consumed, failed int64) {
	l.end()
	l.done.Wait()
	if err := l.producer.Flush(context.Background()); err != nil {
		l.fail(err)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(100 * time.Millisecond) {
		l.mu.Lock()
		consumed = int64(len(l.seen))
		l.mu.Unlock()
		if consumed == l.produced.Load() {
			break
		}
	}
	return l.produced.Load(), consumed, l.failed.Load()
}

// sessions are TLS sessions with every broker, made with one certificate and
// kept for being resumed. Kafka 4.3 on Java 17 hands tickets out and honours
// none, so that every connection is a full handshake; should that change, the
// count of those that were resumed tells.
type sessions struct {
	leaf   tls.Certificate
	caches map[visit]tls.ClientSessionCache
	before int // were resumed while the certificate was good
}

// A visit is to a broker, by one version of TLS.
type visit struct {
	address string
	version uint16
}

const perBroker = 10

func (s *site) sessions(leaf tls.Certificate) *sessions {
	r := &sessions{leaf: leaf, caches: map[visit]tls.ClientSessionCache{}}
	for _, address := range s.addresses() {
		for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
			r.caches[visit{address, version}] = tls.NewLRUClientSessionCache(perBroker)
		}
	}
	return r
}

// renew makes sessions anew, and counts those that can be resumed.
func (r *sessions) renew(s *site) {
	s.t.Helper()
	for to, cache := range r.caches {
		for range 3 {
			resumed, err := s.ask(to, r.leaf, cache)
			if err != nil {
				s.t.Fatalf("%s refuses the old certificate too early: %v", to.address, err)
			}
			if resumed {
				r.before++
			}
		}
	}
}

// tried tries to resume the sessions, and counts how often a broker refused.
func (r *sessions) tried(s *site) (refused, tried int) {
	for to, cache := range r.caches {
		for range perBroker {
			tried++
			if _, err := s.ask(to, r.leaf, cache); err != nil {
				refused++
			}
		}
	}
	return refused, tried
}

func (s *site) login(address string, leaf tls.Certificate) error {
	_, err := s.ask(visit{address, tls.VersionTLS13}, leaf, nil)
	return err
}

// ask makes a request over one connection. The roots are those of either phase,
// because it is the broker that is to refuse.
func (s *site) ask(to visit, leaf tls.Certificate, cache tls.ClientSessionCache) (resumed bool, err error) {
	pool := x509.NewCertPool()
	for _, file := range []string{"1/root.crt", "2/root.crt"} {
		text, err := os.ReadFile(filepath.Join(s.dir, "pki", "real", "generations", file))
		if err == nil {
			pool.AppendCertsFromPEM(text)
		}
	}
	pool.AppendCertsFromPEM(s.trusted())
	c, err := kgo.NewClient(kgo.SeedBrokers(to.address), kgo.RequestRetries(0), kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		conn, err := (&tls.Dialer{Config: &tls.Config{
			MinVersion: tls.VersionTLS12, MaxVersion: to.version, RootCAs: pool, Certificates: []tls.Certificate{leaf}, ClientSessionCache: cache, ServerName: "127.0.0.1",
		}}).DialContext(ctx, network, host)
		if err == nil {
			resumed = conn.(*tls.Conn).ConnectionState().DidResume
		}
		return conn, err
	}))
	if err != nil {
		return false, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	_, err = kmsg.NewPtrMetadataRequest().RequestWith(ctx, c.SeedBrokers()[0])
	return resumed, err
}

func (s *site) trusted() []byte {
	text, err := os.ReadFile(filepath.Join(s.dir, "pki", "real", "trust.crt"))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}
