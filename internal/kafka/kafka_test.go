package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const clusterID = "MkU3OEVBNTcwNTJENDM2Qk"

// serve starts a cluster with logins, rights and the given options, and
// returns how its administrator connects.
func serve(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, kafka.Config) {
	t.Helper()
	opts = append([]kfake.Opt{
		kfake.NumBrokers(3), kfake.ClusterID(clusterID), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("SCRAM-SHA-512", "admin", "pencil"),
	}, opts...)
	fake := start(t, opts...)
	return fake, kafka.Config{
		Bootstrap: strings.Join(fake.ListenAddrs(), ","),
		Auth:      contract.SCRAMSHA512, User: "admin", Password: auth.Static(secret.New("pencil")),
		Timeout: 5 * time.Second,
	}
}

func start(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return fake
}

func connect(t testing.TB, cfg kafka.Config) *kafka.Cluster {
	t.Helper()
	c, err := kafka.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// certificates returns what a TLS server on 127.0.0.1 and its clients need.
func certificates(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots}
}
