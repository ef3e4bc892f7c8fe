package up_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
)

// hearing is a contract with dead letters, whose topic others own.
func hearing(name string) string {
	return contractOf(name, "consumes: {legacy.heard.v1: {order: partition}}") +
		"-- external.yaml --\napiVersion: slipway.dev/v1\nkind: External\ntopics:\n  legacy.heard.v1: {}\n"
}

func TestAnOperatorFindsARunningEstateByItsDirectory(t *testing.T) {
	t.Parallel()
	dir, state := write(t, goMod, hearing("alpha"), program("alpha", "untilTold()")), t.TempDir()
	r := start(t, up.Config{Dir: dir, StateDir: state})
	await(t, r, whichever[up.ServiceStarted])

	link := filepath.Join(t.TempDir(), "shop")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	o, err := up.Find(state, link, "dev")
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	if o.Env != "dev" || o.Cluster != "embedded" || o.ID == "" || o.Bootstrap.SCRAM == "" || o.Admin.User == "" {
		t.Errorf("found %+v, want the run's cluster and its administrator", o)
	}
	redrive := o.Redrive["alpha"]
	if redrive.User != "svc-alpha-dev-redrive" {
		t.Errorf("the redrive user is %q", redrive.User)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{o.Admin.Password, redrive.Password, o.RegistryAuth} {
		secret, err := os.ReadFile(name)
		if err != nil || len(secret) == 0 {
			t.Fatalf("read password: %q, %v", secret, err)
		}
		if strings.Contains(string(text)+r.text(), string(secret)) {
			t.Errorf("the password in %s is told", filepath.Base(name))
		}
	}
	requireRegistryWrites(t, o)
	requirePrivate(t, state)
	for _, env := range []string{"", "dev"} {
		if _, err := up.Find(state, dir, env); err != nil {
			t.Errorf("Find in %q: %v", env, err)
		}
	}
	_, err = up.Find(state, dir, "prod")
	if d := find(t, err, diag.UpEnvironment); !strings.Contains(d.Message, "is up in environment dev, not in prod") {
		t.Errorf("message %q does not name both environments", d.Message)
	}
	_, err = up.Find(state, t.TempDir(), "dev")
	if d := find(t, err, diag.UpNotRunning); !strings.Contains(d.Fix, dir) {
		t.Errorf("fix %q does not name the estate that is up", d.Fix)
	}

	r.cancel(errInterrupt)
	r.wait(t)
	_, err = up.Find(state, dir, "dev")
	find(t, err, diag.UpNotRunning)
}

// requirePrivate reports whatever others can read of what is no program.
func requirePrivate(t *testing.T, state string) {
	t.Helper()
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || path == state:
			return err
		case d.Name() == "bin":
			return fs.SkipDir
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAKilledRunLeavesIsNotTakenForARun(t *testing.T) {
	t.Parallel()
	n := newNursery(t)
	state := t.TempDir()
	dir := write(t, goMod, hearing("alpha"), program("alpha", reporting, "net", "os/exec", "time"))
	slipway := supervise(t, dir, state)
	slipway.Env = append(slipway.Env, "OTEL_TEST_NURSERY="+n.Addr().String())
	if err := slipway.Start(); err != nil {
		t.Fatal(err)
	}
	n.admit(t)
	if _, err := up.Find(state, dir, "dev"); err != nil {
		t.Errorf("Find: %v", err)
	}
	if err := slipway.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	slipway.Wait()
	_, err := up.Find(state, dir, "dev")
	if d := find(t, err, diag.UpNotRunning); !strings.Contains(d.Message, "was killed") {
		t.Errorf("message %q does not say that it was killed", d.Message)
	}
}

// requireRegistryWrites sets a level as slipway apply and slipway schema
// register do.
func requireRegistryWrites(t *testing.T, o *up.Operator) {
	t.Helper()
	ca, err := os.ReadFile(o.CA)
	if err != nil {
		t.Fatal(err)
	}
	login, err := os.ReadFile(o.RegistryAuth)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, o.Registry+"/config/a-value", strings.NewReader(`{"compatibility":"BACKWARD"}`))
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(strings.TrimSpace(string(login)), ":")
	req.SetBasicAuth(user, password)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the registry answers an operator who writes with %s", resp.Status)
	}
}
