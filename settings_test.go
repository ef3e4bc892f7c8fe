package slipway_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// The settings of its own that the shipper declares in tests of settings.
const own = `config:
  greeting.text: {default: hello, live: true}
  greeting.count: {type: integer, default: 3, min: 0, max: 10, live: true}
  greeting.share: {type: number, default: 0.5, live: true}
  greeting.polite: {type: boolean, default: true, live: true}
  greeting.wait: {type: duration, default: 2s, live: true}
  greeting.size: {type: bytes, default: 64KiB, live: true}
  greeting.names: {type: list, default: [ada, bob], live: true}
  greeting.door: {default: front}
`

// ownFiles are the shipper's files with settings of its own, and others.
func ownFiles(more map[string]string) fstest.MapFS {
	f := files("dead-letter")
	f["slipway.yaml"].Data = append(f["slipway.yaml"].Data, own...)
	for name, text := range more {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

// A mount is a directory with configuration, as Kubernetes mounts a ConfigMap:
// behind a link that is swapped.
type mount struct {
	t   *testing.T
	dir string
	n   int
}

func newMount(t *testing.T, dev string) *mount {
	t.Helper()
	m := &mount{t: t, dir: t.TempDir()}
	m.put(dev)
	return m
}

// put replaces what the directory says of the environment dev.
func (m *mount) put(dev string) {
	m.t.Helper()
	m.n++
	version := filepath.Join(m.dir, "..v"+strings.Repeat("i", m.n))
	steps := []error{
		os.Mkdir(version, 0o700),
		os.WriteFile(filepath.Join(version, "dev.yaml"), []byte(dev), 0o600),
		os.Chtimes(filepath.Join(version, "dev.yaml"), time.Unix(1, 0), time.Unix(1, 0)), // no newer than before
		os.Symlink(filepath.Base(version), filepath.Join(m.dir, "..tmp")),
		os.Rename(filepath.Join(m.dir, "..tmp"), filepath.Join(m.dir, "..data")),
	}
	if m.n == 1 {
		steps = append(steps, os.Symlink(filepath.Join("..data", "dev.yaml"), filepath.Join(m.dir, "dev.yaml")))
	}
	for _, err := range steps {
		if err != nil {
			m.t.Fatal(err)
		}
	}
}

// loader reads the configuration of a service in dev, from its files and the
// mounted ones.
func loader(t *testing.T, fsys fstest.MapFS, dir string) *config.Loader {
	t.Helper()
	svc, faults := contract.Parse(fsys, "slipway.yaml")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	if svc, faults = svc.In("dev"); faults.Failed() {
		t.Fatal(faults)
	}
	l, err := config.New(config.Config{Contract: svc, Files: fsys, Dir: dir, Environ: []string{"ENVIRONMENT=dev"}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// values reads it once.
func values(t *testing.T, fsys fstest.MapFS, dir string) *config.Values {
	t.Helper()
	v, err := loader(t, fsys, dir).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// given are the values of a service whose config/dev.yaml is the text.
func given(t *testing.T, fsys fstest.MapFS, dev string) *config.Values {
	t.Helper()
	return values(t, fsys, newMount(t, dev).dir)
}

func TestConsumptionIsAsConfiguredFromTheFirstRecordOn(t *testing.T) {
	t.Parallel()
	l := &loaded{}
	fsys := ownFiles(map[string]string{
		"config/common.yaml": "kafka: {consumer: {concurrency: 5, rate: 2k/s, breaker: {failures: 3}}}\n",
		"config/dev.yaml":    "consumes: {orders.created.v1: {concurrency: 3, timeout: 1m30s, paused: true, held: [\"7\"]}}\n",
	})
	slipwaytest.Run(t, fsys, l.wire, func(t *testing.T, k *slipwaytest.Kit) {
		now := l.app.Tuned()[orders]
		if *now.Concurrency != 3 || *now.Rate != 2000 || *now.TimeoutMillis != 90_000 || !*now.Paused || !slices.Equal(*now.Held, []string{"7"}) {
			t.Errorf("consumed with concurrency %d, rate %v, timeout %d ms, paused %v, held %v; want what is configured",
				*now.Concurrency, *now.Rate, *now.TimeoutMillis, *now.Paused, *now.Held)
		}
		c := l.app.Contract().Consumes[orders]
		if c.Breaker == nil || c.Breaker.Failures != 3 || c.Breaker.Probes != 1 {
			t.Errorf("breaker = %+v, want one that opens after 3 failures", c.Breaker)
		}
		send(k, 1, 0)
		k.Advance(time.Minute)
		if got := l.calls.all(); len(got) != 0 {
			t.Errorf("handled %v while paused", got)
		}
		if err := l.app.Ready(); err != nil {
			t.Errorf("not ready while paused on purpose: %v", err)
		}
	})
}

func TestWithoutConfigurationTheContractHolds(t *testing.T) {
	t.Parallel()
	app, err := slipway.New(slipway.Config{Files: files("dead-letter"), Environment: slipway.Environment{Name: "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	c := app.Contract().Consumes[orders]
	if c.Concurrency != 8 || c.Timeout != 10*time.Second || c.Breaker != nil || len(c.Retry.Delays) != 2 || c.Retry.Backoff != nil || c.Rate != 0 {
		t.Errorf("entry = %+v, want the contract's", c)
	}
}

func TestAConfiguredBackoffReplacesWhatTheContractHas(t *testing.T) {
	t.Parallel()
	const everyone = "kafka: {consumer: {retry: {first: 2s, attempts: 6}}}\n"
	for name, tt := range map[string]struct {
		retry string // of the contract
		want  *contract.Backoff
	}{
		"in place of delays":  {"retry: {delays: [1s, 10s], then: dead-letter}", &contract.Backoff{First: 2 * time.Second, Factor: 2, Max: 30 * time.Second, Attempts: 6, Budget: 5 * time.Minute}},
		"a backoff is merged": {"retry: {backoff: {max: 1m}, then: dead-letter}", &contract.Backoff{First: 2 * time.Second, Factor: 2, Max: time.Minute, Attempts: 6, Budget: 5 * time.Minute}},
		"one appears":         {"retry: {then: dead-letter}", &contract.Backoff{First: 2 * time.Second, Factor: 2, Max: 30 * time.Second, Attempts: 6, Budget: 5 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := edited("retry: {delays: [1s, 10s], then: dead-letter}", tt.retry)
			app, err := slipway.New(slipway.Config{Files: fsys, Environment: slipway.Environment{Name: "dev"}, Settings: given(t, fsys, everyone)})
			if err != nil {
				t.Fatal(err)
			}
			got := app.Contract().Consumes[orders].Retry.Backoff
			if got == nil || *got != *tt.want || len(app.Contract().Consumes[orders].Retry.Delays) > 0 {
				t.Errorf("backoff = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAPolicyThatTheContractCannotHaveNamesItsSource(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		retry  string // of the contract
		config string
		want   []string
	}{
		"no retry topic": {"retry: {then: stop}", "kafka: {consumer: {retry: {attempts: 3}}}\n", []string{"retry.attempts is 3", "retry topic"}},
		"a small budget": {"retry: {backoff: {}}", "kafka: {consumer: {retry: {budget: 10ms}}}\n", []string{"retry.budget is 10ms", "1s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := edited("retry: {delays: [1s, 10s], then: dead-letter}", tt.retry)
			_, err := slipway.New(slipway.Config{Files: fsys, Environment: slipway.Environment{Name: "dev"}, Settings: given(t, fsys, tt.config)})
			found := diag.Of(err)
			if len(found) != 1 || found[0].Code != diag.SettingsImpossible {
				t.Fatalf("New() = %v, want one %s", err, diag.SettingsImpossible)
			}
			for _, want := range append(tt.want, "dev.yaml:1", "consumes."+orders) {
				if said := told(err); !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
		})
	}
}

func TestACodeReadsItsSettingsTyped(t *testing.T) {
	t.Parallel()
	fsys := ownFiles(map[string]string{"config/dev.yaml": "greeting: {count: 7, names: [eve]}\n"})
	app, err := slipway.New(slipway.Config{Files: fsys, Environment: slipway.Environment{Name: "dev"}})
	if err != nil {
		t.Fatal(err)
	}
	requireSetting(t, app, "greeting.text", "hello")
	requireSetting(t, app, "greeting.count", int64(7))
	requireSetting(t, app, "greeting.share", 0.5)
	requireSetting(t, app, "greeting.polite", true)
	requireSetting(t, app, "greeting.wait", 2*time.Second)
	requireSetting(t, app, "greeting.size", int64(64<<10))
	if got := slipway.NewSetting[[]string](app, "greeting.names").Get(); !slices.Equal(got, []string{"eve"}) {
		t.Errorf("greeting.names = %v, want [eve]", got)
	}
}

func requireSetting[T interface {
	slipway.SettingValue
	comparable
}](t *testing.T, app *slipway.App, key string, want T) {
	t.Helper()
	if got := slipway.NewSetting[T](app, key).Get(); got != want {
		t.Errorf("%s = %v, want %v", key, got, want)
	}
}

func TestASettingThatTheContractDoesNotHaveEndsTheStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		read func(*slipway.App)
		code diag.Code
		want []string
	}{
		"an unknown key":     {func(a *slipway.App) { slipway.NewSetting[string](a, "greeting.txt") }, diag.SettingUndeclared, []string{"greeting.txt", "shipper", "greeting.text"}},
		"a key of Slipway's": {func(a *slipway.App) { slipway.NewSetting[string](a, "log.level") }, diag.SettingUndeclared, []string{"log.level"}},
		"another type":       {func(a *slipway.App) { slipway.NewSetting[string](a, "greeting.count") }, diag.SettingType, []string{"greeting.count", "string", "integer", "int64"}},
		"a plain number":     {func(a *slipway.App) { slipway.NewSetting[int64](a, "greeting.wait") }, diag.SettingType, []string{"greeting.wait", "int64", "duration", "time.Duration"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, err := slipway.New(slipway.Config{Files: ownFiles(nil), Environment: slipway.Environment{Name: "dev"}})
			if err != nil {
				t.Fatal(err)
			}
			handleOrders(app, orders)
			tt.read(app)
			err = app.Run(t.Context())
			found := diag.Of(err)
			if len(found) != 1 || found[0].Code != tt.code || found[0].Position.Line == 0 {
				t.Fatalf("Run() = %v, want one %s with its place", err, tt.code)
			}
			for _, want := range tt.want {
				if said := told(err); !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
		})
	}
}

// settled is the environment of a service in dev, as configuration gives it.
func TestTheEnvironmentIsReadFromEveryLayer(t *testing.T) {
	t.Parallel()
	fsys := ownFiles(map[string]string{
		"config/common.yaml": "bootstrap: {servers: [kafka-0:9094, kafka-1:9094]}\ntls: {ca: {path: /ca.crt}}\nshutdown: {timeout: 1m}\n",
		"config/dev.yaml":    "sasl: {password: {path: /password}}\nlisten: {host: 127.0.0.1}\n",
	})
	env, err := slipway.EnvironmentOf("dev", values(t, fsys, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := slipway.Environment{
		Name: "dev", BootstrapServers: "kafka-0:9094,kafka-1:9094", CAFile: "/ca.crt", PasswordFile: "/password",
		ListenHost: "127.0.0.1", ShutdownTimeout: time.Minute,
	}
	if !reflect.DeepEqual(env, want) {
		t.Errorf("environment = %+v, want %+v", env, want)
	}
	_, err = slipway.EnvironmentOf("dev", values(t, ownFiles(nil), ""))
	for _, variable := range []string{"BOOTSTRAP_SERVERS is not set", "TLS_CA_PATH is not set", "SASL_PASSWORD_PATH"} {
		if err == nil || !strings.Contains(told(err), variable) {
			t.Errorf("without configuration: %v, want it to name %q", err, variable)
		}
	}
}
