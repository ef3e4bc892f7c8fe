package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/slipwaytest"
)

// configured is what the service would be configured with, in an environment
// and with a directory laid over its own files.
func configured(t *testing.T, env, dir string) (*config.Values, error) {
	t.Helper()
	svc, faults := contract.Parse(files, "slipway.yaml")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	loader, err := config.New(config.Config{Contract: svc, Files: files, Dir: dir, Environ: []string{"ENVIRONMENT=" + env}})
	if err != nil {
		t.Fatal(err)
	}
	return loader.Load(t.Context())
}

func TestEachEnvironmentHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]int64{"dev": 5000, "prod": 2500} {
		values, err := configured(t, env, "")
		if err != nil {
			t.Fatalf("%s:\n%v", env, err)
		}
		if got := values.Int("refund.limit"); got != want {
			t.Errorf("in %s the limit is %d, want %d", env, got, want)
		}
	}
	if _, err := configured(t, "staging", ""); err == nil || !strings.Contains(err.Error(), "staging.yaml") {
		t.Errorf("an environment without a file is answered with %v", err)
	}
}

func TestALimitHoldsFromTheNextRefundOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(dev string) {
		if err := os.WriteFile(filepath.Join(dir, "dev.yaml"), []byte(dev), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var app *slipway.App
	service := slipwaytest.Service{Files: files, Wire: func(a *slipway.App) error {
		app = a
		return wire(a)
	}}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		refund := func(id string) {
			k.Send("refunds.asked.v1", &asked{RefundID: id, Cents: 8000, Currency: "usd"})
			k.Advance(time.Second)
		}
		refund("r-1")
		k.RequireDeadLettered("refunds", "refunds.asked.v1", 1) // above the limit in dev

		write("refund: {limit: 9000}")
		next, err := configured(t, "dev", dir)
		if err != nil {
			t.Fatal(err)
		}
		if pending, err := app.Reconfigure(next); err != nil || len(pending) > 0 {
			t.Fatalf("the change is answered with %v, and waits for a restart with %v", err, pending)
		}
		refund("r-2")
		k.RequireDeadLettered("refunds", "refunds.asked.v1", 1) // and no other

		write("refund: {limt: 90}")
		if _, err := configured(t, "dev", dir); err == nil || !strings.Contains(err.Error(), "dev.yaml:1:10: there is no key refund.limt") {
			t.Errorf("a misspelt key is answered with %v, want the place and the key", err)
		}
	})
}
