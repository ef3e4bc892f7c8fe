//go:build kafka

package up_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/up"
)

// kafkaPatience is how long a real cluster may take to start on a slow machine.
const kafkaPatience = 4 * time.Minute

func TestTheSameEstateRunsOnRealKafkaByCertificate(t *testing.T) {
	state := t.TempDir()
	r := start(t, up.Config{
		Dir:      "testdata/echo",
		Broker:   up.KafkaBroker,
		StateDir: state,
		// The command's own login is by password, beside the service's certificate.
		Command: []string{"sh", "-c", `test -s "$SASL_PASSWORD_PATH" && test -z "$TLS_CERT_PATH" && sleep 3`},
	})
	awaitSlowly(t, r)
	requireOperator(t, state)
	select {
	case <-r.done:
	case <-time.After(kafkaPatience):
		t.Fatalf("the run does not end; it told\n%s", r.text())
	}
	if r.err != nil || r.result.Status != 0 {
		t.Fatalf("Run() = %+v, %v", r.result, r.err)
	}
	t.Logf("ready %v after the build, %v after the start", r.result.Ready, await(t, r, whichever[up.Ready]).Total)
	for i := range 20 {
		await(t, r, func(l up.Line) bool { return l.Text == fmt.Sprintf("heard word %d", i) })
	}
	for _, n := range all[up.Note](r) {
		if strings.Contains(n.Text, "takes no identity from a certificate") {
			t.Errorf("told %q of real Kafka", n.Text)
		}
	}
}

// awaitSlowly waits for the command to start.
func awaitSlowly(t *testing.T, r *run) {
	t.Helper()
	deadline := time.After(kafkaPatience)
	for len(all[up.CommandStarted](r)) == 0 {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.done:
			t.Fatalf("the run ended with %v; it told\n%s", r.err, r.text())
		case <-deadline:
			t.Fatalf("the command does not start; the run told\n%s", r.text())
		}
	}
}

// requireOperator logs in as the administrator and as the redrive user, each by
// the certificate that the run left for an operator.
func requireOperator(t *testing.T, state string) {
	t.Helper()
	o, err := up.Find(state, "testdata/echo", "dev")
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	ca, err := os.ReadFile(o.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	for who, login := range map[string]up.Login{"admin": o.Admin, "redrive": o.Redrive["echo"]} {
		pair, err := tls.LoadX509KeyPair(login.Cert, login.Key)
		if err != nil {
			t.Errorf("the certificate of %s: %v", who, err)
			continue
		}
		k, err := kafka.Connect(t.Context(), kafka.Config{
			Bootstrap: o.Bootstrap.MTLS, Auth: login.Auth,
			TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}},
		})
		if err != nil {
			t.Errorf("log in as %s: %v", who, err)
			continue
		}
		if k.ID() != o.ID {
			t.Errorf("cluster %s answers %s, want %s", k.ID(), who, o.ID)
		}
		k.Close()
	}
}
