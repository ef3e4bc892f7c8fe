package registry_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/embedded/registry"
)

func TestServicesReadAndOnlyApplyWrites(t *testing.T) {
	t.Parallel()
	const admin, reader = "apply:a:b", "service:s3cret"
	r := open(t, registry.Config{Admin: admin, Reader: reader})
	requests := map[string]struct {
		method, path, body string
		write              bool
	}{
		"register":       {"POST", "/subjects/a-value/versions", body("", order1), true},
		"set level":      {"PUT", "/config/a-value", `{"compatibility":"FULL"}`, true},
		"set global":     {"PUT", "/config", `{"compatibility":"FULL"}`, true},
		"delete level":   {"DELETE", "/config/a-value", "", true},
		"delete version": {"DELETE", "/subjects/a-value/versions/1", "", true},
		"unknown post":   {"POST", "/other", "", true},
		"look up":        {"POST", "/subjects/versions", body("", order1), false},
		"check":          {"POST", "/compatibility/subjects/a-value/versions", body("", order1), false},
		"read":           {"GET", "/schemas/ids/1", "", false},
	}
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for credential, want := range map[string]int{
				"":               401,
				":":              401,
				"service:guess":  401,
				"service:":       401,
				"apply:s3cret":   401,
				"s3cret:service": 401,
				reader:           map[bool]int{true: 403, false: 0}[req.write],
				admin:            0,
			} {
				got := call(r, req.method, req.path, req.body, strings.Fields(credential)...)
				if refused := got.Code == 401 || got.Code == 403; got.Code != want && (want != 0 || refused) {
					t.Errorf("as %q: %d %s, want %d", credential, got.Code, got.Body, want)
				}
			}
		})
	}
}

func TestARegistryWithoutReaderHasNoEmptyCredential(t *testing.T) {
	t.Parallel()
	r := open(t, registry.Config{Admin: "apply:secret"})
	for _, credential := range []string{":", "x:"} {
		if got := call(r, "GET", "/subjects", "", credential); got.Code != 401 {
			t.Errorf("as %q: %d, want 401", credential, got.Code)
		}
	}
}

func TestALongRequestIsRefused(t *testing.T) {
	t.Parallel()
	r := open(t, registry.Config{})
	got := call(r, "POST", "/subjects/a-value/versions", `{"schema":"`+strings.Repeat(" ", 11<<20)+`"}`)
	if got.Code != 413 {
		t.Errorf("11 MiB = %d, want 413", got.Code)
	}
}
