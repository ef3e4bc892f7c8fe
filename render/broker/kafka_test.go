//go:build kafka

package broker_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/broker"
)

// A broker says nothing of a setting that it does not know, and goes without.
func TestKafkaKnowsEverySetting(t *testing.T) {
	t.Parallel()
	known := definitions(t)
	for _, in := range []render.Input{input(t, "prod", small, ""), input(t, "prod", large, sha256)} {
		files, err := broker.Target().Files(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for key := range settings(t, f.Content) {
				name := key
				if rest, own := strings.CutPrefix(key, "listener.name."); own {
					_, name, _ = strings.Cut(rest, ".")
				}
				name = strings.TrimPrefix(name, "scram-sha-512.")
				name = strings.TrimPrefix(name, "scram-sha-256.")
				if state := known[name]; state != "current" {
					t.Errorf("%s: Kafka does not define %s (%q)", f.Path, key, state)
				}
			}
		}
	}
}

// definitions are the settings that the running version of Kafka defines.
func definitions(t *testing.T) map[string]string {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		devtest.Require(t, diag.New(diag.DevJava, "java is not in PATH"))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	jars := filepath.Join(cache, "slipway", "kafka-4.3.1")
	if _, err := os.Stat(jars); err != nil { // package dev fetches them before it starts anything, and it starts nothing in no time
		_, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: time.Nanosecond})
		if !errors.Is(err, diag.DevNotReady) {
			devtest.Require(t, err)
		}
	}
	out, err := exec.CommandContext(t.Context(), java, "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*"), filepath.Join("testdata", "java", "Keys.java")).Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		known[words[1]] = words[0]
	}
	if len(known) < 200 {
		t.Fatalf("Kafka defines %d settings", len(known))
	}
	return known
}
