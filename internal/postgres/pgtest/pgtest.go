package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/postgres"
)

// prefix begins the name of every data directory; the id of the process that
// it belongs to follows.
const prefix = "slipway-pgtest-"

// shared is the test process's server. Tests have no other common place.
var shared struct {
	sync.Mutex
	asked     bool
	dir       string
	server    *postgres.Server
	err       error
	databases int
}

// Main runs a package's tests, and stops the server if they started one. It
// does not return.
func Main(m *testing.M) {
	code := m.Run()
	shared.Lock()
	if shared.server != nil {
		if err := errors.Join(shared.server.Stop(), os.RemoveAll(shared.dir)); err != nil {
			fmt.Fprintln(os.Stderr, "stop the shared Postgres:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// New returns the URL of a fresh database on the process's shared server.
func New(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.asked {
		shared.asked = true
		sweep()
		// Not the test's context: other tests use the server after it.
		shared.dir, shared.server, shared.err = start(context.Background(), map[string]string{"max_connections": "400", "wal_level": "logical"}) //nolint:usetesting // see above
	}
	require(t, shared.err)
	shared.databases++
	name := "test_" + strconv.Itoa(shared.databases)
	if err := shared.server.Create(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return shared.server.URL(name)
}

// Server returns a server of the test's own, to be killed and restarted. It is
// stopped with the test.
func Server(t testing.TB, settings map[string]string) *postgres.Server {
	t.Helper()
	dir, s, err := start(t.Context(), settings)
	require(t, err)
	t.Cleanup(func() {
		if err := errors.Join(s.Stop(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start starts a server in a directory that every user may reach: t.TempDir is
// closed to the one that Postgres runs as where the tests run as root.
func start(ctx context.Context, settings map[string]string) (string, *postgres.Server, error) {
	dir, err := os.MkdirTemp("", prefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", nil, err
	}
	s, err := postgres.Start(ctx, postgres.Config{Dir: dir, Settings: settings})
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, s, nil
}

// sweep removes the data of test binaries that have ended without removing it.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*")) // the pattern is good
	for _, dir := range dirs {
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		pid, err := strconv.Atoi(id)
		if err == nil && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // another user's, or the next one's
		}
	}
}

// require ends the test if err is not nil: by skipping it if Postgres is not
// installed and CI is not set, else by failing it.
func require(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if errors.Is(err, diag.PostgresMissing) && os.Getenv("CI") != "true" {
		t.Skip(err, "-", diag.Of(err)[0].Remedy())
	}
	for _, d := range diag.Of(err) {
		for _, line := range d.Evidence {
			t.Log(line)
		}
	}
	t.Fatal(err)
}
