//go:build kafka

package up_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/up"
)

// kafkaPatience is how long a real cluster may take to start on a slow machine.
const kafkaPatience = 4 * time.Minute

func TestTheSameEstateRunsOnRealKafkaByCertificate(t *testing.T) {
	r := start(t, up.Config{
		Dir:    "testdata/echo",
		Broker: up.KafkaBroker,
		// The command's own login is by password, beside the service's certificate.
		Command: []string{"sh", "-c", `test -s "$SASL_PASSWORD_PATH" && test -z "$TLS_CERT_PATH" && sleep 3`},
	})
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
