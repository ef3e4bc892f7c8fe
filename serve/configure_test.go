package serve

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/slipwaytest"
)

// Settings of a service's own.
const (
	greeting = "config:\n  greeting.text: {default: hello, live: true}\n"
	secretly = greeting + "  greeting.word: {secret: true}\n"
)

// A mount is a directory with configuration, as Kubernetes mounts a ConfigMap:
// behind a link that is swapped.
type mount struct {
	t   *testing.T
	dir string
	n   int
}

// put replaces what the directory says of the environment dev, and removes what
// it said before, as Kubernetes does.
func (m *mount) put(dev string) {
	m.t.Helper()
	m.n++
	name := func(n int) string { return filepath.Join(m.dir, fmt.Sprintf("..v%d", n)) }
	steps := []error{
		os.Mkdir(name(m.n), 0o700),
		os.WriteFile(filepath.Join(name(m.n), "dev.yaml"), []byte(dev), 0o600),
		os.Symlink(filepath.Base(name(m.n)), filepath.Join(m.dir, "..tmp")),
		os.Rename(filepath.Join(m.dir, "..tmp"), filepath.Join(m.dir, "..data")),
		os.RemoveAll(name(m.n - 1)),
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

// A followed is a service that follows its configuration, and what it handled.
type followed struct {
	app  *slipway.App
	conf *configuration
	text *slipway.Setting[string]

	mu      sync.Mutex
	handled map[string][]string // by key
	joins   atomic.Int64        // requests to join the group
}

// follow runs a test against a service that follows a mounted directory.
func follow(t *testing.T, m *mount, took time.Duration, test func(t *testing.T, k *slipwaytest.Kit, f *followed)) {
	t.Helper()
	fsys := fstest.MapFS{"slipway.yaml": {Data: []byte(consuming + secretly)}}
	f := &followed{handled: make(map[string][]string)}
	service := slipwaytest.Service{Files: fsys}
	service.Configure = func(c *slipway.Config) {
		f.conf = loadFrom(t, fsys, m.dir)
		c.Settings = f.conf.values
	}
	service.Wire = func(app *slipway.App) error {
		f.app, f.text = app, slipway.NewSetting[string](app, "greeting.text")
		slipway.Handle(app, "names.v1", func(_ context.Context, msg *slipway.Message[[]byte]) error {
			<-time.After(took)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.handled[string(msg.Key)] = append(f.handled[string(msg.Key)], string(msg.Value))
			return nil
		})
		f.conf.follow(app)
		return nil
	}
	slipwaytest.RunAll(t, []slipwaytest.Service{service}, func(t *testing.T, k *slipwaytest.Kit) {
		k.Advance(10 * time.Second) // the group is at rest
		k.Kafka().ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			f.joins.Add(1)
			return nil, nil, false
		})
		test(t, k, f)
	})
}

// loadFrom reads a service's configuration in dev, and again every 10 ms.
func loadFrom(t *testing.T, fsys fstest.MapFS, dir string) *configuration {
	t.Helper()
	svc, faults := contract.Parse(fsys, contractFile)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	if svc, faults = svc.In("dev"); faults.Failed() {
		t.Fatal(faults)
	}
	environ := []string{"ENVIRONMENT=dev", "BOOTSTRAP_SERVERS=kafka:9094", "TLS_CA_PATH=/ca.crt", "SASL_PASSWORD_PATH=/password", "SLIPWAY_GREETING_WORD=sesame"}
	loader, err := config.New(config.Config{Contract: svc, Files: fsys, Dir: dir, Environ: environ, Every: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	values, err := loader.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &configuration{loader: loader, values: values, env: slipway.Environment{Name: "dev"}, level: new(slog.LevelVar)}
}

// Wrong ways to change the configuration.
var wrong = []string{
	"consumes: {names.v1: {concurrency: 0, paused: true}}\n",               // out of bounds
	"consumes: {names.v1: {concurrency: 2}}\nspeed: 7\n",                   // an unknown key
	"consumes: {names.v1: {concurrency: 2, rate: 2000",                     // half of a file
	"consumes: {nothing.v1: {paused: true}}\n",                             // an unknown entry
	"kafka: {consumer: {concurrency: 2, timeout: 10}}\n",                   // no unit
	"consumes: {names.v1: {paused: true, retry: {budget: 5ms}}}\n",         // below the first wait
	"admin: {address: \"0.0.0.0:9180\"}\nkafka: {consumer: {rate: 1/s}}\n", // open to all
}

func TestAThousandChangesUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	const keys, each, changes = 10, 100, 1000
	m := &mount{t: t, dir: t.TempDir()}
	m.put("")
	follow(t, m, 3*time.Millisecond, func(t *testing.T, k *slipwaytest.Kit, f *followed) {
		var valid string
		for n := range changes {
			if n%7 == 3 {
				m.put(wrong[n/7%len(wrong)])
			} else {
				valid = fmt.Sprint(n)
				m.put(fmt.Sprintf("consumes: {names.v1: {concurrency: %d, rate: %d/s, paused: %t}}\ngreeting: {text: %q}\n", n%13+1, n%5*1000, n%11 == 0, valid))
			}
			if n%(changes/each) == 0 {
				for key := range keys {
					k.SendBytes("names.v1", []byte(fmt.Sprint(key)), fmt.Append(nil, n/(changes/each)))
				}
			}
			k.Advance(time.Duration(n%3) * 6 * time.Millisecond) // some follow each other faster than anybody looks
		}
		m.put("consumes: {names.v1: {concurrency: 7}}\ngreeting: {text: last}\n")
		k.Advance(100 * time.Millisecond)
		m.put(wrong[0]) // the last valid one holds
		k.Advance(20 * time.Second)
		now := f.app.Tuned()["names.v1"]
		if *now.Concurrency != 7 || *now.Rate != 0 || *now.Paused || f.text.Get() != "last" {
			t.Errorf("concurrency %d, rate %v, paused %v, text %q; want the last valid state", *now.Concurrency, *now.Rate, *now.Paused, f.text.Get())
		}
		if f.app.Configuration().Rejected == nil || f.app.Ready() != nil {
			t.Errorf("rejected: %v, ready: %v; want a rejected configuration and a service that is ready", f.app.Configuration().Rejected, f.app.Ready())
		}
		f.requireOnce(t, keys, each)
		if lag := k.Lag("greeter"); lag != 0 {
			t.Errorf("lag = %d", lag)
		}
		if n := f.joins.Load(); n != 0 {
			t.Errorf("the instance joined its group %d times more: changes made a rebalance", n)
		}
		m.put("") // an instance does not start with a wrong configuration
		k.Start("greeter")
		if f.joins.Load() == 0 {
			t.Error("another instance joined, and no join was seen: the count above means nothing")
		}
		if n := strings.Count(k.Log(), string(diag.SettingsRefused)); n < 50 {
			t.Errorf("%d of about 143 wrong changes were refused", n)
		}
	})
}

// requireOnce checks that the records of each key were handled once and in
// order.
func (f *followed) requireOnce(t *testing.T, keys, each int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var want []string
	for n := range each {
		want = append(want, fmt.Sprint(n))
	}
	for key := range keys {
		if got := f.handled[fmt.Sprint(key)]; !slices.Equal(got, want) {
			t.Errorf("handled %d records of key %d, want each of %d once and in order: %v", len(got), key, each, got)
		}
	}
}

func TestAWrongConfigurationIsToldOnceAndChangesNothing(t *testing.T) {
	t.Parallel()
	m := &mount{t: t, dir: t.TempDir()}
	const good = "consumes: {names.v1: {concurrency: 5}}\nlog: {level: warn}\n"
	m.put(good)
	follow(t, m, 0, func(t *testing.T, k *slipwaytest.Kit, f *followed) {
		for _, text := range wrong {
			before := strings.Count(k.Log(), string(diag.SettingsRefused))
			m.put(text)
			k.Advance(time.Second)
			if now := f.app.Tuned()["names.v1"]; *now.Concurrency != 5 || *now.Paused || *now.Rate != 0 {
				t.Errorf("%q changed something: %+v", text, now)
			}
			if n := strings.Count(k.Log(), string(diag.SettingsRefused)) - before; n != 1 {
				t.Errorf("%q: told %d times, want once", text, n)
			}
			if f.app.Configuration().Rejected == nil || f.app.Ready() != nil {
				t.Errorf("%q: rejected %v, ready %v", text, f.app.Configuration().Rejected, f.app.Ready())
			}
			m.put(good) // as it was
			k.Advance(time.Second)
			if now := f.app.Configuration(); now.Rejected != nil {
				t.Errorf("%q was taken back and is rejected still: %v", text, now.Rejected)
			}
		}
		if err := os.RemoveAll(filepath.Join(m.dir, "..data")); err != nil {
			t.Fatal(err)
		}
		k.Advance(time.Second)
		if now := f.app.Tuned()["names.v1"]; *now.Concurrency != 5 || f.app.Configuration().Rejected == nil || f.app.Ready() != nil {
			t.Errorf("without the directory: concurrency %d, rejected %v", *now.Concurrency, f.app.Configuration().Rejected)
		}
	})
}

func TestTheLogLevelChangesInARunningService(t *testing.T) {
	t.Parallel()
	m := &mount{t: t, dir: t.TempDir()}
	m.put("log: {level: warn}\n")
	follow(t, m, 0, func(t *testing.T, k *slipwaytest.Kit, f *followed) {
		m.put("log: {level: debug}\n")
		k.Advance(time.Second)
		if got := f.conf.level.Level(); got != slog.LevelDebug {
			t.Errorf("level is %v, want debug", got)
		}
		m.put("log: {level: loud}\n")
		k.Advance(time.Second)
		if got := f.conf.level.Level(); got != slog.LevelDebug {
			t.Errorf("level is %v after a wrong change, want debug", got)
		}
	})
}

func TestAnOperatorSeesEveryValueAndWhatWaits(t *testing.T) {
	t.Parallel()
	m := &mount{t: t, dir: t.TempDir()}
	m.put("")
	follow(t, m, 0, func(t *testing.T, k *slipwaytest.Kit, f *followed) {
		m.put("consumes: {names.v1: {concurrency: 5, breaker: {failures: 4}}}\ngreeting: {word: other}\n")
		k.Advance(time.Second)
		m.put("speed: 7\n")
		k.Advance(time.Second)
		code, got := ask(t, admin(f.app, nil, nil), http.MethodGet, "/slipway/v1/config", "")
		if code != http.StatusOK || got["environment"] != "dev" {
			t.Fatalf("GET config = %d %v", code, got)
		}
		said := fmt.Sprint(got)
		for _, want := range []string{"consumes.names.v1.concurrency", "dev.yaml:1", "consumes.names.v1.breaker.failures", "speed", "rejected_since"} {
			if !strings.Contains(said, want) {
				t.Errorf("%q is not in the answer: %s", want, said)
			}
		}
		if n := len(got["pending"].([]any)); n == 0 {
			t.Error("nothing waits for a restart")
		}
		if strings.Contains(said, "sesame") || strings.Contains(said, "other") {
			t.Error("the answer has the value of a secret")
		}
	})
}

// told runs a service with arguments and returns what it wrote.
func asked(t *testing.T, env map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	files := fstest.MapFS{"slipway.yaml": {Data: []byte(fmt.Sprintf(greeter, 80) + secretly)}}
	status = run(process{
		Service: Service{Files: files, Wire: func(*slipway.App) error { return nil }},
		args:    args, environ: environ(env), stdout: &out, stderr: &errs,
	})
	return status, out.String(), errs.String()
}

var complete = map[string]string{
	"ENVIRONMENT": "dev", "BOOTSTRAP_SERVERS": "127.0.0.1:1", "TLS_CA_PATH": "/ca.crt", "SASL_PASSWORD_PATH": "/password",
	"SLIPWAY_GREETING_WORD": "opensesame",
}

func TestAServiceTellsWhatItWouldRunWith(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
		want []string
		not  string
	}{
		"its values": {complete, []string{"--print-config", "--set", "greeting.text=good day", "--set=log.level=debug"},
			[]string{"greeting.text", "good day", "flag", "log.level", "debug", "bootstrap.servers", "variable BOOTSTRAP_SERVERS", "default"}, "sesame"},
		"its keys":     {nil, []string{"--help"}, []string{"--print-config", "greeting.text", "kafka.consumer.concurrency", "live", "SLIPWAY_GREETING_TEXT"}, "sesame"},
		"its versions": {nil, []string{"--version"}, []string{"greeter ", "contract ", "slipway "}, "sesame"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := asked(t, tt.env, tt.args...)
			if status != exitOK || stderr != "" {
				t.Fatalf("exit status %d, stderr %q", status, stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("%q is not in:\n%s", want, stdout)
				}
			}
			if strings.Contains(stdout, tt.not) {
				t.Errorf("%q is in:\n%s", tt.not, stdout)
			}
		})
	}
}

func TestWhatIsMissingIsToldBesideWhatThereIs(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := asked(t, map[string]string{"ENVIRONMENT": "dev"}, "--print-config", "--set", "log.level=debug")
	if status != exitMisfit || !strings.Contains(stdout, "flag --set log.level") {
		t.Errorf("exit status %d, values:\n%s", status, stdout)
	}
	for _, want := range []string{"greeting.word has no value", "BOOTSTRAP_SERVERS is not set", "TLS_CA_PATH is not set"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not in:\n%s", want, stderr)
		}
	}
}

// A vault is a source of one value.
type vault struct{ text string }

func (vault) Name() string { return "vault" }

func (v vault) Load(context.Context) ([]config.Given, error) {
	return []config.Given{{Key: "greeting.text", Text: v.text}, {Key: "log.level", Text: "error"}}, nil
}

func TestTheProgramAndItsSourcesGiveValuesToo(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	status := run(process{
		Service: Service{
			Files:   fstest.MapFS{"slipway.yaml": {Data: []byte(fmt.Sprintf(greeter, 80) + secretly)}},
			Sources: []config.Source{vault{"from the vault"}}, Set: map[string]string{"log.level": "debug"},
		},
		args: []string{"--print-config"}, environ: environ(complete), stdout: &stdout, stderr: &stderr,
	})
	if status != exitOK {
		t.Fatalf("exit status %d\n%s", status, &stderr)
	}
	for _, want := range []string{`greeting.text +from the vault +source vault`, `log.level +debug +set by the program`, `listen.host +default`} {
		if !regexp.MustCompile(want).Match(stdout.Bytes()) {
			t.Errorf("%q is not in:\n%s", want, &stdout)
		}
	}
}

func TestWrongFlagsAndValuesEndTheStart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"an unknown flag":     {[]string{"--verbose"}, []string{string(diag.ServiceFlagsInvalid), "verbose"}},
		"an argument":         {[]string{"start"}, []string{string(diag.ServiceFlagsInvalid), `"start"`}},
		"half a setting":      {[]string{"--set", "hunter2"}, []string{string(diag.ServiceFlagsInvalid), "key=value"}},
		"an unknown key":      {[]string{"--set", "greeting.txt=hunter2"}, []string{"greeting.txt", "greeting.text"}},
		"a wrong value":       {[]string{"--set", "kafka.consumer.concurrency=many"}, []string{"kafka.consumer.concurrency", "many"}},
		"a missing directory": {[]string{"--config-path", "/no/such/directory"}, []string{"/no/such/directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := asked(t, complete, tt.args...)
			if status != exitMisfit || stdout != "" || !strings.Contains(stderr, "fix: ") {
				t.Errorf("exit status %d, want %d and a fix; stdout %q, stderr:\n%s", status, exitMisfit, stdout, stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q is not in:\n%s", want, stderr)
				}
			}
			if strings.Contains(stderr, "hunter2") {
				t.Errorf("what may be a secret is told:\n%s", stderr)
			}
		})
	}
}

func TestAProcessFollowsItsMountedConfiguration(t *testing.T) {
	t.Parallel()
	m := &mount{t: t, dir: t.TempDir()}
	m.put("greeting: {text: good morning}\n")
	texts, runs := make(chan string, 2), make(chan struct{})
	stderr, signals, status := startIn(t, freePort(t), func(app *slipway.App) error {
		text := slipway.NewSetting[string](app, "greeting.text")
		text.OnChange(func(now string) { texts <- now })
		texts <- text.Get()
		app.Go("tell", func(context.Context) error { close(runs); return nil })
		return nil
	}, map[string]string{"CONFIG_PATH": m.dir})
	for _, want := range []string{"good morning", "good evening"} {
		select {
		case got := <-texts:
			if got != want {
				t.Errorf("greeting.text = %q, want %q", got, want)
			}
		case code := <-status:
			t.Fatalf("ended with %d\n%s", code, stderr)
		}
		<-runs
		m.put("greeting: {text: good evening}\nlog: {level: error}\n")
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitOK {
		t.Errorf("exit status %d\n%s", got, stderr)
	}
	if log := stderr.String(); !strings.Contains(log, "configuration applied") || strings.Contains(log, "draining") {
		t.Errorf("the log has no change, or goes on below log.level:\n%s", log)
	}
}
