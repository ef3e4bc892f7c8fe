package up_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/internal/up"
)

func TestAServiceGetsItsOwnEnvironmentAndNothingElse(t *testing.T) {
	t.Parallel()
	body := `for _, v := range os.Environ() { fmt.Println("env", v) }
	for _, f := range []string{"SASL_PASSWORD_PATH", "SCHEMA_REGISTRY_AUTH_PATH"} {
		if info, err := os.Stat(os.Getenv(f)); err != nil || info.Size() == 0 || info.Mode() != 0o600 { fmt.Println("bad", f, info, err) }
	}
	fmt.Println("that is all")
	untilTold()`
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha"), program("alpha", body)),
		Environ: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + t.TempDir(),
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
			"AWS_SECRET_ACCESS_KEY=leak", "GITHUB_TOKEN=leak", "TLS_KEY_PATH=/leak", "TLS_CERT_PATH=/leak", "BOOTSTRAP_SERVERS=leak:9092",
		},
	})
	await(t, r, func(l up.Line) bool { return l.Text == "that is all" })
	values := map[string]string{}
	for _, l := range all[up.Line](r) {
		if strings.HasPrefix(l.Text, "bad ") {
			t.Error(l.Text)
		}
		if entry, ok := strings.CutPrefix(l.Text, "env "); ok {
			name, value, _ := strings.Cut(entry, "=")
			values[name] = value
		}
	}
	var names []string
	for name, value := range values {
		names = append(names, name)
		if strings.Contains(value, "leak") {
			t.Errorf("%s is %s, from the user's environment", name, value)
		}
	}
	slices.Sort(names)
	want := []string{
		"ACL_PRINCIPAL", "ADMIN_ADDRESS", "BOOTSTRAP_SERVERS", "DATABASE_URL", "ENVIRONMENT", "HOME", "LISTEN_HOST", "OTEL_EXPORTER_OTLP_ENDPOINT", "PATH",
		"SASL_PASSWORD_PATH", "SCHEMA_REGISTRY_AUTH_PATH", "SCHEMA_REGISTRY_URL", "SHUTDOWN_TIMEOUT", "SPILL_PATH", "TLS_CA_PATH", "TMPDIR",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("variables of the service (-want +got):\n%s", diff)
	}
	if host, port, err := net.SplitHostPort(values["ADMIN_ADDRESS"]); err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("ADMIN_ADDRESS is %q, want a port of this machine", values["ADMIN_ADDRESS"])
	}
	if got := await(t, r, whichever[up.ServiceStarted]).Admin; got != values["ADMIN_ADDRESS"] {
		t.Errorf("told that it can be operated at %q, want %q", got, values["ADMIN_ADDRESS"])
	}
	for name, want := range map[string]string{
		"ACL_PRINCIPAL": "User:svc-alpha-dev", "ENVIRONMENT": "dev", "LISTEN_HOST": "127.0.0.1", "SHUTDOWN_TIMEOUT": "18s",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
}

func TestAServiceThatKeepsEndingIsRestartedThenGivenUp(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha"), program("alpha", "fmt.Println(\"no such table\\n\\n\\tin main\")\n\tos.Exit(3)"),
			contractOf("beta"), program("beta", "untilTold()")),
		Restart: quick,
	})
	_, err := r.wait(t)
	d := find(t, err, diag.UpGivenUp)
	if want := "alpha ended 3 times within 1m0s, the last time with exit status 3"; d.Message != want {
		t.Errorf("message %q, want %q", d.Message, want)
	}
	if len(d.Evidence) > 0 || !strings.Contains(d.Fix, "above") {
		t.Errorf("evidence %q, fix %q, want no words again that were just told", d.Evidence, d.Fix)
	}
	if want := "alpha/slipway.yaml"; d.Position.File != want {
		t.Errorf("position %v, want %s", d.Position, want)
	}
	if !slices.Contains(all[up.Line](r), up.Line{Service: "alpha", Text: "    in main"}) {
		t.Error("the tab of the service's line is not told as spaces")
	}
	died := all[up.ServiceDied](r)
	if len(died) != 3 || died[0].Pause == 0 || died[2].Pause != 0 || died[0].Reason != "exit status 3" {
		t.Errorf("told of ends %+v, want three, the last one final", died)
	}
	if stopped := all[up.ServiceStopped](r); len(stopped) != 1 || stopped[0].Service != "beta" {
		t.Errorf("stopped %+v, want beta, which still ran", stopped)
	}
}

// Others write more than a screen once the service has ended, so what it wrote
// must be shown again.
func TestAServiceWhoseWordsAreOutOfSightIsGivenUpWithThem(t *testing.T) {
	t.Parallel()
	many := "untilTold()\n\tfor i := range 30 { fmt.Println(i) }"
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha"), program("alpha", "time.Sleep(time.Second)\n\tfmt.Println(\"no such table\\n\\n\\tin main\")\n\tos.Exit(3)", "time"),
			contractOf("beta"), program("beta", many)),
		Restart: proc.Policy{Limit: 1},
	})
	_, err := r.wait(t)
	if d, want := find(t, err, diag.UpGivenUp), []string{"no such table", "    in main"}; !slices.Equal(d.Evidence, want) {
		t.Errorf("evidence %q, want the service's last words once: %q", d.Evidence, want)
	}
}

func TestAServiceThatNoRestartCuresIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{Dir: write(t, goMod, "-- slipway.yaml --\n"+strings.SplitN(contractOf("alpha"), "\n", 2)[1],
		strings.Replace(program("alpha", "fmt.Println(\"no handler\")\n\tos.Exit(64)"), "alpha/", "", 1))})
	_, err := r.wait(t)
	d := find(t, err, diag.UpGivenUp)
	if !strings.HasPrefix(d.Message, "alpha ended with exit status 64: ") || len(d.Evidence) > 0 {
		t.Errorf("got %+v, want the status named and no words again that were just told", d)
	}
	if want := (diag.Position{File: "slipway.yaml"}); d.Position != want {
		t.Errorf("position %v, want %v", d.Position, want)
	}
	if died := all[up.ServiceDied](r); len(died) != 1 || died[0].Pause != 0 || died[0].Reason != "exit status 64" {
		t.Errorf("told of ends %+v, want a single one that is final", died)
	}
	if said := all[up.Line](r); len(said) != 1 {
		t.Errorf("the service wrote %+v, want its line once", said)
	}
}

// The command takes its time to end, and the service ends meanwhile.
func TestNoServiceIsStartedAgainWhenTheRunIsToEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trapped, ending := filepath.Join(dir, "trapped"), filepath.Join(dir, "ending")
	until := func(file string) string {
		return fmt.Sprintf("for { if _, err := os.Stat(%q); err == nil { break }; time.Sleep(time.Millisecond) }\n", file)
	}
	r := start(t, up.Config{
		Dir:     write(t, goMod, contractOf("alpha"), program("alpha", until(trapped)+"fmt.Println(\"trapped\")\n"+until(ending)+"os.Exit(3)", "time")),
		Command: []string{"sh", "-c", "trap 'touch " + ending + "; sleep 1; exit' TERM; touch " + trapped + "; while :; do sleep 0.05; done"},
		Restart: quick,
	})
	await(t, r, func(l up.Line) bool { return l.Text == "trapped" })
	r.cancel(errInterrupt)
	if _, err := r.wait(t); !errors.Is(err, errInterrupt) {
		t.Errorf("Run() = %v, want the context's cause", err)
	}
	if died := all[up.ServiceDied](r); len(died) != 1 || died[0].Pause != 0 {
		t.Errorf("told of ends %+v, want one, and no start to follow", died)
	}
	if started := all[up.ServiceStarted](r); len(started) != 1 {
		t.Errorf("started %+v, want nothing after the end was decided", started)
	}
}

func TestAServiceThatIsSlowToStopIsNamedAndItsKillToldOnce(t *testing.T) {
	t.Parallel()
	kill := make(chan struct{})
	r := start(t, up.Config{Dir: write(t, goMod, contractOf("alpha"), program("alpha", hang)), Kill: kill})
	await(t, r, func(l up.Line) bool { return l.Text == "deaf" })
	r.cancel(errInterrupt)
	if w := await(t, r, whichever[up.Waiting]); w != (up.Waiting{Service: "alpha", Asked: true}) {
		t.Errorf("told %+v, want alpha, and that asking again kills", w)
	}
	close(kill)
	r.wait(t)
	if n := strings.Count(r.text(), "was killed"); n != 1 {
		t.Errorf("the kill is told %d times, want once", n)
	}
	if n := len(all[up.Waiting](r)); n != 1 {
		t.Errorf("told %d times to wait, want once", n)
	}
}

func TestAServiceThatHangsIsKilledAfterItsGrace(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{
		Dir:   write(t, goMod, contractOf("alpha"), program("alpha", hang)),
		Grace: 300 * time.Millisecond,
	})
	await(t, r, func(l up.Line) bool { return l.Text == "deaf" })
	r.cancel(errInterrupt)
	if _, err := r.wait(t); !errors.Is(err, errInterrupt) {
		t.Errorf("Run() = %v, want the context's cause", err)
	}
	w := await(t, r, func(w up.Warned) bool { return w.Diagnostic.Code == diag.UpKilled })
	if want := "alpha did not stop within 300ms and was killed"; w.Diagnostic.Message != want {
		t.Errorf("message %q, want %q", w.Diagnostic.Message, want)
	}
	if s := await(t, r, whichever[up.ServiceStopped]); !s.Killed {
		t.Error("the service is told to have stopped by itself")
	}
}

// hang ignores what it is told and says so.
const hang = `told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	fmt.Println("deaf")
	for { <-told }`

func TestASecondInterruptKillsAtOnce(t *testing.T) {
	t.Parallel()
	kill := make(chan struct{})
	r := start(t, up.Config{
		Dir:   write(t, goMod, contractOf("alpha"), program("alpha", hang)),
		Grace: time.Hour,
		Kill:  kill,
	})
	await(t, r, func(l up.Line) bool { return l.Text == "deaf" })
	r.cancel(errInterrupt)
	await(t, r, whichever[up.Stopping])
	close(kill)
	r.wait(t)
	if s := await(t, r, whichever[up.ServiceStopped]); !s.Killed || s.Took > patience {
		t.Errorf("told %+v, want a kill at once", s)
	}
}

func TestAServiceThatIsNotReadyIsNamedWithItsLastLines(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha", fmt.Sprintf("workload: {http: %d}", port)), program("alpha", "fmt.Println(\"waiting for godot\")\n\tuntilTold()"),
			contractOf("beta"), program("beta", "untilTold()")),
		ReadyTimeout: 3 * time.Second,
	})
	_, err := r.wait(t)
	d := find(t, err, diag.UpNotReady)
	if want := "alpha is not ready after 3s"; d.Message != want || d.Position.File != "alpha/slipway.yaml" {
		t.Errorf("message %q at %v, want %q at the contract", d.Message, d.Position, want)
	}
	if len(diag.Of(err)) != 1 {
		t.Errorf("got %v, want alpha alone to be blamed", err)
	}
	if text := strings.Join(d.Evidence, "\n"); !strings.Contains(text, "/readyz") || !strings.Contains(text, "waiting for godot") {
		t.Errorf("evidence %q names neither the probe nor the service's words", d.Evidence)
	}
}

func TestAServiceWithAPortIsReadyWhenItSaysSo(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	body := fmt.Sprintf(`n := 0
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 { w.WriteHeader(503) } else { fmt.Println("asked often enough") }
	})
	go http.ListenAndServe(fmt.Sprintf("%%s:%d", os.Getenv("LISTEN_HOST")), nil)
	untilTold()`, port)
	r := start(t, up.Config{Dir: write(t, goMod, contractOf("alpha", fmt.Sprintf("workload: {http: %d}", port)), program("alpha", body, "net/http"))})
	await(t, r, whichever[up.Ready])
	// Once the run is ready nobody asks any more.
	await(t, r, func(l up.Line) bool { return l.Text == "asked often enough" })
	if s := await(t, r, whichever[up.ServiceStarted]); s.URL != fmt.Sprintf("http://127.0.0.1:%d", port) {
		t.Errorf("the service is told to listen at %q", s.URL)
	}
}
