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

// program builds a program of the module in a directory, once for each state of the
// module, and returns its path. What a build leaves is in the user's cache.
func program(ctx context.Context, module, name, pkg string, flags ...string) (string, error) {
	building.Lock()
	defer building.Unlock()
	path, err := cached(module, name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "%s is built, once\n", filepath.Base(path))
	fresh := path + ".new"
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", fresh}, flags...)
	if _, err := run(ctx, module, "go", append(args, pkg)...); err != nil {
		return "", err
	}
	return path, os.Rename(fresh, path)
}

// cached is the path of a program in the user's cache. Its name follows from all that
// the program is built of.
func cached(module, name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "slipway")
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(module, "*"))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, source := range sources {
		data, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(data) // never fails
	}
	return filepath.Join(cache, name+"-"+hex.EncodeToString(sum.Sum(nil))[:12]), nil
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
