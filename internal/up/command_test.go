package up_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
)

func TestTheRunEndsWithTheCommandsStatus(t *testing.T) {
	t.Parallel()
	dir := write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()"), "-- check.sh --\nexit 5\n")
	for name, tt := range map[string]struct {
		command []string
		want    int
	}{
		"success":          {[]string{"true"}, 0},
		"failure":          {[]string{"sh", "-c", "exit 7"}, 7},
		"killed":           {[]string{"sh", "-c", "kill -9 $$"}, 137},
		"in the directory": {[]string{"sh", "check.sh"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, up.Config{Dir: dir, Command: tt.command, StateDir: t.TempDir()})
			got, err := r.wait(t)
			if err != nil || got.Status != tt.want {
				t.Errorf("Run() = %+v, %v, want status %d", got, err, tt.want)
			}
			if s := all[up.ServiceStopped](r); len(s) != 1 {
				t.Errorf("stopped %+v, want the one service", s)
			}
		})
	}
}

func TestACommandThatCannotStartIsSlipwaysOwnFailure(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{Dir: write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()")), Command: []string{"no-such-command"}})
	_, err := r.wait(t)
	if d := find(t, err, diag.UpCommand); !strings.Contains(d.Message, "no-such-command") {
		t.Errorf("message %q does not name the command", d.Message)
	}
}

// alphaAnswers is a service that answers at a port.
func alphaAnswers(port int) string {
	return contractOf("alpha-one", fmt.Sprintf("workload: {http: %d}", port)) + program("alpha-one", `http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	go http.ListenAndServe("127.0.0.1:`+fmt.Sprint(port)+`", nil)
	untilTold()`, "net/http")
}

func TestTheCommandKeepsTheUsersStreamsAndEnvironmentAndIsToldWhereThingsAre(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	files := map[string]*os.File{}
	for _, name := range []string{"in", "out", "err"} {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[name] = f
	}
	if _, err := files["in"].WriteString("typed\n"); err != nil {
		t.Fatal(err)
	}
	files["in"].Seek(0, 0)
	r := start(t, up.Config{
		Dir: write(t, goMod, alphaAnswers(port)),
		Environ: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "MINE=kept", "TLS_CERT_PATH=/stale",
			"ACL_PRINCIPAL=User:stale"},
		Command: []string{"sh", "-c", `cat; echo "$MINE $ALPHA_ONE_URL $ACL_PRINCIPAL $ENVIRONMENT cert=$TLS_CERT_PATH"; cat $SASL_PASSWORD_PATH $SCHEMA_REGISTRY_AUTH_PATH; printf '\033[1mbold' >&2`},
		Stdin:   files["in"], Stdout: files["out"], Stderr: files["err"],
	})
	if got, err := r.wait(t); err != nil || got.Status != 0 {
		t.Fatalf("Run() = %+v, %v", got, err)
	}
	out, said := read(t, files["out"]), read(t, files["err"])
	want := fmt.Sprintf("typed\nkept http://127.0.0.1:%d User:up-command dev cert=\n", port)
	secrets, ok := strings.CutPrefix(out, want)
	if !ok {
		t.Errorf("the command wrote %q, want it to begin with %q", out, want)
	}
	if len(secrets) < 20 {
		t.Errorf("the command was given the credentials %q", secrets)
	}
	if said != "\x1b[1mbold" {
		t.Errorf("the command's errors came out as %q", said)
	}
	for _, line := range all[up.Line](r) {
		if strings.Contains(line.Text, "typed") || strings.Contains(line.Text, "bold") {
			t.Errorf("the command's output came through a line %q", line.Text)
		}
	}
}

func read(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNoEventTellsASecret(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha"), program("alpha", "untilTold()")),
		// The command's password is beside those of the services.
		Command: []string{"sh", "-c", `for f in "$(dirname "$SASL_PASSWORD_PATH")"/../*/*; do cat "$f"; echo; done`},
		Stdout:  out,
	})
	if _, err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	secrets := strings.Fields(read(t, out))
	if len(secrets) != 4 {
		t.Fatalf("found %d secrets, want password and registry login of alpha and of the command", len(secrets))
	}
	told := r.text()
	for _, e := range all[up.Planned](r) {
		told += fmt.Sprintf("%+v", e.Plan)
	}
	for _, s := range secrets {
		if strings.Contains(told, s) {
			t.Errorf("an event tells the secret %s", s)
		}
	}
}

func TestAServiceThatIsGivenUpOnFailsTheCommandsRun(t *testing.T) {
	t.Parallel()
	marker := filepath.Join(t.TempDir(), "go")
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha"), program("alpha", `for { if _, err := os.Stat("`+marker+`"); err == nil { os.Exit(1) }; time.Sleep(10*time.Millisecond) }`, "time")),
		// The service ends as soon as the command runs; the command would run on.
		Command: []string{"sh", "-c", "touch " + marker + "; sleep 600"},
		Restart: quick,
	})
	_, err := r.wait(t)
	find(t, err, diag.UpGivenUp)
}

func TestAnInterruptStopsTheCommandWhileTheServicesStillRun(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r := start(t, up.Config{
		Dir: write(t, goMod, contractOf("alpha"), program("alpha", "fmt.Println(os.Getpid())\n\tuntilTold()")),
		// When it is told to stop it looks whether the service is there.
		Command: []string{"sh", "-c", `trap 'kill -0 $(cat pid) && echo still there; exit' TERM; while :; do sleep 0.01; done`},
		Stdout:  out,
	})
	pid := await(t, r, whichever[up.ServiceStarted]).PID
	if err := os.WriteFile(filepath.Join(r.dir, "pid"), fmt.Append(nil, pid), 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, r, whichever[up.Status]) // a second after the command was started
	r.cancel(errInterrupt)
	if _, err := r.wait(t); !errors.Is(err, errInterrupt) {
		t.Errorf("Run() = %v, want the context's cause", err)
	}
	if got := read(t, out); got != "still there\n" {
		t.Errorf("the command wrote %q, want it to find the service", got)
	}
	if ended := all[up.CommandEnded](r); len(ended) != 0 {
		t.Errorf("told that the command ended with %+v, which it did not by itself", ended)
	}
}
