package up_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/up"
)

func TestAllFaultsOfAConfigAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := up.Run(t.Context(), up.Config{Broker: "rabbit", Store: "mongodb://shop:hunter2@db/shop", Grace: -time.Second, ReadyTimeout: -time.Second})
	if err == nil {
		t.Fatal("Run() accepts the config")
	}
	for _, want := range []string{"Dir is empty", "Grace is -1s", "ReadyTimeout is -1s", `no broker "rabbit"`, "no store", "mongodb://"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Run() = %v, which does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Run() = %v, which tells a password", err)
	}
}
