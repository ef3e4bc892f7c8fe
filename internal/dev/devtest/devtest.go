// Package devtest gives the tests of other packages a real Kafka: one cluster
// for each test process, started by the first test that asks for it.
//
// A package's TestMain must be
//
//	func TestMain(m *testing.M) { devtest.Main(m) }
//
// so that the cluster is closed and its data removed. Tests share the cluster:
// each uses names of its own. Those that break nodes put them right again
// before they end, and do not run beside others.
//
// Where Java or Maven is missing a test that asks is skipped with one line,
// and fails where CI=true is set: a suite that tested nothing must not be
// green there.
package devtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
)

// shared is the test process's cluster. Tests have no other common place.
var shared struct {
	sync.Mutex
	main    bool
	asked   bool
	cluster *dev.Cluster
	err     error
}

// Main runs a package's tests and closes the cluster if they started one. It
// does not return.
func Main(m *testing.M) {
	shared.main = true
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close the shared cluster:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// Cluster returns the process's shared cluster, starting it the first time.
func Cluster(t testing.TB) *dev.Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.main {
		t.Fatal("TestMain does not call devtest.Main, so nobody would close the cluster")
	}
	if !shared.asked {
		shared.asked = true
		// Not the test's context: other tests use the cluster after it.
		shared.cluster, shared.err = dev.Up(context.Background(), dev.Config{ //nolint:usetesting // see above
			Ephemeral: true,
			Report:    func(line string) { fmt.Fprintln(os.Stderr, "kafka:", line) },
		})
	}
	Require(t, shared.err)
	return shared.cluster
}

// Require ends the test if err is not nil: by skipping it if the machine lacks
// what real Kafka needs and CI is not set, else by failing it.
func Require(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, missing := range []diag.Code{diag.DevJava, diag.DevJavaOld, diag.DevMaven} {
		if errors.Is(err, missing) && os.Getenv("CI") != "true" {
			t.Skip(err, "-", diag.Of(err)[0].Remedy())
		}
	}
	for _, d := range diag.Of(err) {
		for _, line := range d.Evidence {
			t.Log(line)
		}
	}
	t.Fatal(err)
}
