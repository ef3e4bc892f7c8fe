package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"example.com/shop/drive/trial"
)

// try runs the driver's command line.
func try(t *testing.T, env map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}, &out, &errs)
	return status, out.String(), errs.String()
}

// nowhere is where nothing listens.
var nowhere = map[string]string{"ORDERS_URL": "http://127.0.0.1:1", "INVENTORY_URL": "http://127.0.0.1:1", "PAYMENTS_URL": "http://127.0.0.1:1"}

func TestWithoutAddressesItSaysHowToBeRun(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := try(t, nil)
	if status != exitUsage || stdout != "" {
		t.Errorf("status %d with %q on stdout, want %d and nothing", status, stdout, exitUsage)
	}
	for _, want := range []string{"SHOP-002", "ORDERS_URL", "INVENTORY_URL", "PAYMENTS_URL", "slipway up examples/shop -- go run ./drive"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
}

func TestWrongUsageIsToldAllAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"nothing to do":    {[]string{"-orders", "0", "-concurrency", "-1", "-timeout", "0s"}, []string{"-orders", "-concurrency", "-timeout", "SHOP-001"}},
		"unknown output":   {[]string{"-o", "yaml"}, []string{`"yaml"`, "text or json"}},
		"an argument":      {[]string{"10000"}, []string{`"10000"`}},
		"an unknown flag":  {[]string{"-order", "3"}, []string{"-order", "Usage"}},
		"not even a count": {[]string{"-orders", "many"}, []string{"many"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, stderr := try(t, nowhere, tt.args...)
			if status != exitUsage {
				t.Errorf("status %d, want %d", status, exitUsage)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, stderr)
				}
			}
		})
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	status, _, stderr := try(t, map[string]string{"ORDERS_URL": "127.0.0.1:18081", "INVENTORY_URL": "ftp://x", "PAYMENTS_URL": "http://"})
	if status != exitUsage || strings.Count(stderr, "SHOP-002") != 3 {
		t.Errorf("status %d, want %d and three faults:\n%s", status, exitUsage, stderr)
	}
}

func TestARunCutShortHasAStatusOfItsOwn(t *testing.T) {
	t.Parallel()
	status, stdout, _ := try(t, nowhere, "-timeout", "300ms", "-o", "json")
	var s trial.Summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatalf("stdout is %q: %v", stdout, err)
	}
	if status != exitUnknown || s.Result != trial.Unknown || !strings.Contains(strings.Join(s.Unknowns, " "), "-timeout 300ms") {
		t.Errorf("status %d with %+v, want %d and unknown because of the timeout", status, s, exitUnknown)
	}
}

func TestTheContractNeedsEveryService(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := try(t, nowhere, "-contract")
	if status != exitUsage || stdout != "" {
		t.Errorf("status %d with %q on stdout, want %d and nothing", status, stdout, exitUsage)
	}
	for _, want := range []string{"USERS_URL", "NOTIFICATIONS_URL", "AUDIT_URL", "RECOMMENDATIONS_URL", "WEBHOOKS_URL"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
}
