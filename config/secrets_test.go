package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// secretMount mounts a directory with one file for each key, and returns how to
// put the next generation in place.
func secretMount(t *testing.T) (dir string, swap func(files map[string]string)) {
	t.Helper()
	dir = t.TempDir()
	n := 0
	return dir, func(files map[string]string) {
		old, _ := os.Readlink(filepath.Join(dir, "..data"))
		n++
		next := "..gen" + strings.Repeat("x", n)
		if err := os.Mkdir(filepath.Join(dir, next), 0o700); err != nil {
			t.Error(err)
		}
		for name, text := range files {
			write(t, filepath.Join(dir, next, name), text)
			_ = os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name))
		}
		_ = os.Symlink(next, filepath.Join(dir, "..tmp"))
		if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Error(err)
		}
		if old != "" {
			_ = os.RemoveAll(filepath.Join(dir, old))
		}
	}
}

func TestAMountedSecretIsReadFileByFile(t *testing.T) {
	t.Parallel()
	dir, swap := secretMount(t)
	swap(map[string]string{"pay.key": "from-file\n", "pay.mode": "live"})
	v, err := loader(t, config.Config{Environ: []string{"PAY_KEY=", "SECRETS_PATH=" + dir}, Files: files("prod.yaml", "pay: {mode: test}")}).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Text("pay.key"); got != "from-file" {
		t.Errorf("pay.key is %q", got)
	}
	if got := value(t, v, "pay.mode"); got.Text != "live" || got.Source != "source "+filepath.ToSlash(dir)+"/pay.mode" {
		t.Errorf("pay.mode is %+v", got)
	}
	swap(map[string]string{"pay.kee": "canary"})
	_, err = loader(t, config.Config{Environ: []string{"SECRETS_PATH=" + dir}}).Load(t.Context())
	if !errors.Is(err, diag.ConfigUnknownKey) || !strings.Contains(told(err), "did you mean pay.key?") || strings.Contains(told(err), "canary") {
		t.Errorf("an unknown name: %v", told(err))
	}
	_, err = loader(t, config.Config{Environ: []string{"SECRETS_PATH=" + dir + "/nowhere"}}).Load(t.Context())
	if !errors.Is(err, diag.ConfigSource) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestARotatedSecretIsFollowed(t *testing.T) {
	t.Parallel()
	dir, swap := secretMount(t)
	swap(map[string]string{"pay.key": "one", "pay.mode": "test"})
	synctest.Test(t, func(t *testing.T) {
		told, stop := following(t, loader(t, config.Config{Environ: []string{"PAY_KEY=", "SECRETS_PATH=" + dir}}))
		defer stop()
		swap(map[string]string{"pay.key": "two", "pay.mode": "live"})
		<-time.After(3 * time.Second)
		expect(t, "a rotated secret", told(), "live")
		swap(map[string]string{"pay.key": "three", "pay.mode": "live"})
		<-time.After(3 * time.Second)
		expect(t, "a rotated secret alone", told(), "live")
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
		<-time.After(3 * time.Second)
		expect(t, "the mount is gone", told(), "live warning SLP-CFG-011")
	})
}
