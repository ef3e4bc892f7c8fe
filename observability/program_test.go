//go:build kafka

package observability_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// building is held while a program is built: two compilers at once help nobody.
var building sync.Mutex

// program builds a program of the module in a directory, once for each version,
// and returns its path. What a build leaves is in the user's cache.
func program(t *testing.T, module, name, pkg string, flags ...string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	version := run(t, module, "go", "list", "-m", "-f", "{{.Version}}", strings.Join(strings.Split(pkg, "/")[:3], "/"))
	path := filepath.Join(cache, "slipway", name+"-"+version)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	t.Logf("%s %s is built, once", name, version)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	fresh := path + ".new"
	run(t, module, "go", append(append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", fresh}, flags...), pkg)...)
	if err := os.Rename(fresh, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// prometheus builds a program of the Prometheus that the module beside this one
// pins, without what finds targets in other people's clouds.
func prometheus(t *testing.T, name string) string {
	t.Helper()
	return program(t, "prometheus", name, "github.com/prometheus/prometheus/cmd/"+name, "-tags", "remove_all_sd")
}

// run runs a command and returns what it says, without the last line's end.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
