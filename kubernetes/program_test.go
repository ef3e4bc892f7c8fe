//go:build kubernetes

package kubernetes_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// building is held while a program is built: two compilers at once help nobody.
var building sync.Mutex

// versioned tells a program of Kubernetes which version it is.
const versioned = "-X k8s.io/component-base/version.gitVersion=" + version

// program builds a program of the module in a directory, once for each state of the
// module, and returns its path. What a build leaves is in the user's cache.
func program(ctx context.Context, module, name, pkg string, link ...string) (string, error) {
	building.Lock()
	defer building.Unlock()
	args := []string{"build", "-trimpath", "-gcflags", quick, "-ldflags", strings.Join(append([]string{"-s -w"}, link...), " ")}
	path, err := cached(module, name, pkg, args)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "%s is built, once\n", filepath.Base(path))
	fresh := path + ".new"
	if _, err := run(ctx, module, "go", append(args, "-o", fresh, pkg)...); err != nil {
		return "", err
	}
	return path, os.Rename(fresh, path)
}

// quick has compilers take the least time: these programs are built more often than
// they are busy.
const quick = "all=-N -l -dwarf=false"

// cached is the path of a program in the user's cache. Its name follows from all that
// the program is built of, and how.
func cached(module, name, pkg string, args []string) (string, error) {
	cache, err := cache()
	if err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(module, filepath.FromSlash(pkg), "*.go")) // none if the package is another module's
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, args, pkg) // never fails
	for _, source := range append(sources, filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")) {
		data, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(data) // likewise
	}
	return filepath.Join(cache, name+"-"+hex.EncodeToString(sum.Sum(nil))[:12]), nil
}

// cache is where things are that are made once.
func cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "slipway")
	return dir, os.MkdirAll(dir, 0o750)
}

// install installs a package of Python into a directory of its own.
func install(ctx context.Context, dir, pkg string) error {
	if _, err := run(ctx, ".", "python3", "-m", "venv", "--clear", dir); err != nil {
		return err
	}
	_, err := run(ctx, ".", filepath.Join(dir, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", pkg)
	return err
}

// run runs a command and returns what it writes to its standard output.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.String(), said.String())
	}
	return out.String(), nil
}
