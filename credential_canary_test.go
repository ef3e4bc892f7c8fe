package slipway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// outputs are all that a service says, by where it says it.
type outputs struct {
	mu sync.Mutex
	of map[string]*bytes.Buffer
}

func (o *outputs) say(where, format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[where] == nil {
		o.of[where] = new(bytes.Buffer)
	}
	fmt.Fprintf(o.of[where], format+"\n", args...)
}

// in is a writer of one output.
func (o *outputs) in(where string) writerFunc {
	return func(p []byte) (int, error) {
		o.say(where, "%s", p)
		return len(p), nil
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// shapes are the ways in which a secret may be written down.
func shapes(secret string) map[string]string {
	return map[string]string{
		"as it is": secret, "in hex": hex.EncodeToString([]byte(secret)), "in base64": base64.StdEncoding.EncodeToString([]byte(secret)),
		"in a URL": url.QueryEscape(secret), "as bytes": strings.Trim(fmt.Sprintf("%v", []byte(secret)), "[]"), "reversed half": secret[len(secret)/2:],
	}
}

// TestNoOutputShowsAPassword runs a service with canaries for passwords, at
// debug level, through everything that can happen to it, and looks for them in
// all that it says.
func TestNoOutputShowsAPassword(t *testing.T) {
	t.Parallel()
	o := &outputs{of: make(map[string]*bytes.Buffer)}
	const next, wrong = "canary-next-Zx81%q7", "canary-wrong-Pdp11%q8"
	var registry string
	reader := sdkmetric.NewManualReader()
	s := &keyed{study: newStudy(t), dir: t.TempDir()}
	wire := func(app *slipway.App) error {
		s.app = app
		slipway.NewProducer[[]byte](app, jobsOut)
		return s.wire(func(_ context.Context, j job) error {
			switch {
			case strings.HasPrefix(j.key, "bad"):
				return slipway.Reject(fmt.Errorf("refused by %+v", app.Environment()))
			case strings.HasPrefix(j.key, "mad"):
				panic(fmt.Sprintf("%+v", app.Credential()))
			case j.attempt == 1 && strings.HasPrefix(j.key, "late"):
				return errors.New("not yet")
			}
			return nil
		})(app)
	}
	configure := func(cfg *slipway.Config) {
		b, err := os.ReadFile(cfg.Environment.PasswordFile)
		if err != nil {
			t.Fatal(err)
		}
		s.was = string(b)
		plainFiles(t, s.dir, map[string]string{"password": s.was})
		cfg.Environment.PasswordFile = filepath.Join(s.dir, "password")
		if b, err = os.ReadFile(cfg.Environment.RegistryAuthFile); err != nil {
			t.Fatal(err)
		}
		_, registry, _ = strings.Cut(string(b), ":")
		cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		level := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
		cfg.Logger = slog.New(slog.NewMultiHandler(slog.NewJSONHandler(o.in("log"), level), slog.NewTextHandler(o.in("log"), level)))
		o.say("config", "%v %+v %#v", *cfg, *cfg, cfg.Environment)
	}
	services := []slipwaytest.Service{{Files: relaying("direct", retrying), Wire: wire, Configure: configure}}
	slipwaytest.RunAll(t, services, func(t *testing.T, k *slipwaytest.Kit) {
		s.k = k
		keys := append(numbered(6), "bad", "mad", "late")
		look := func(when string) {
			s.load(k, 2*time.Second, keys)
			s.inspect(t, o, when, reader)
		}
		look("well")
		plainFiles(t, s.dir, map[string]string{"password": s.was, "password.next": next})
		s.alter(next)
		s.reconnect()
		look("rotated")
		plainFiles(t, s.dir, map[string]string{"password": wrong})
		s.reconnect()
		look("former")
		plainFiles(t, s.dir, map[string]string{"password": "", "password.next": wrong})
		s.alter("another")
		for id := range 3 {
			k.CutBroker(id)()
		}
		k.Advance(time.Minute)
		look("refused")
		s.alter(wrong)
		k.Advance(time.Minute)
		topicGrant(jobs, kmsg.ACLOperationRead).revoke(t, k)
		look("denied")
		for _, r := range k.Records(jobsDead) {
			o.say("dead letters", "%q %q %q", r.Key, r.Value, r.Headers)
		}
	})
	for _, canary := range []string{s.was, next, wrong, registry} {
		for shape, text := range shapes(canary) {
			for where, said := range o.of {
				if at := strings.Index(said.String(), text); at >= 0 {
					t.Errorf("%s shows a password %s: …%q…", where, shape, said.String()[max(0, at-80):min(said.Len(), at+80)])
				}
			}
		}
	}
	for _, where := range []string{"log", "config", "health", "status", "credential", "metrics", "dead letters", "app"} {
		if o.of[where] == nil || o.of[where].Len() == 0 {
			t.Errorf("nothing was said in %s, so nothing was looked at", where)
		}
	}
	if log := o.of["log"].String(); !strings.Contains(log, "password") || !strings.Contains(log, "panicked") {
		t.Error("the log tells neither of passwords nor of a panic, so it was not looked at when it mattered")
	}
	t.Logf("looked for 4 passwords in %d shapes in %d bytes", len(shapes(next)), o.bytes())
}

func (o *outputs) bytes() (n int) {
	for _, said := range o.of {
		n += said.Len()
	}
	return n
}

// inspect asks a service for all that it can tell.
func (s *keyed) inspect(t *testing.T, o *outputs, when string, reader *sdkmetric.ManualReader) {
	t.Helper()
	o.say("health", "%s: %v %+v %#v / %v", when, s.app.Ready(), s.app.Ready(), s.app.Ready(), s.app.Live())
	o.say("credential", "%s: %+v %#v", when, s.app.Credential(), s.app.Credential())
	o.say("app", "%v %+v", s.app.Environment(), s.app.Contract())
	for where, v := range map[string]any{"status": s.app.Consumption(), "credential": s.app.Credential()} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		o.say(where, "%s: %s", when, b)
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	o.say("metrics", "%s: %+v", when, all)
}
