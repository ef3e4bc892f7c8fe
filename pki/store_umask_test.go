//go:build unix

package pki_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// With umask 0 a mode is what the program asked for. While certificates are
// saved another goroutine looks at every file there is, the temporary ones
// too. Not parallel: the umask is the whole process's.
func TestNoFileIsEverWiderThanItsOwner(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	var seen, temporary atomic.Int64
	look := func(base string) {
		err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
			if path == dir || errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it has just been renamed
			}
			if err != nil {
				return err
			}
			seen.Add(1)
			if d.Name()[0] == '.' {
				temporary.Add(1)
			}
			if mode := info.Mode().Perm(); mode&0o077 != 0 {
				t.Errorf("%s has mode %04o", path, mode)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				look(dir)
			}
		}
	}()
	a := newAuthority(t, "mask")
	for range 100 {
		if err := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client}).Save(filepath.Join(dir, "deep", "svc")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := a.Save(filepath.Join(dir, "authorities", name)); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-done
	look(dir)
	t.Logf("%d looks at files, %d of them at temporary ones", seen.Load(), temporary.Load())
	if temporary.Load() == 0 {
		t.Error("no temporary file was ever seen")
	}
}

func TestACertificateIsNotSavedWhereOthersCanReach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	c := issue(t, newAuthority(t, "careful"), pki.Request{CommonName: "svc", Usage: pki.Client})
	if err := c.Save(dir); !errors.Is(err, pki.ErrLoose) || !errors.Is(err, diag.PKILoose) {
		t.Errorf("Save() = %v, want %s", err, diag.PKILoose)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%d files were left there, %v", len(entries), err)
	}
}

// A link in the place of a file is replaced and not written through.
func TestACertificateIsNeverWrittenThroughALink(t *testing.T) {
	t.Parallel()
	dir, outside := filepath.Join(t.TempDir(), "svc"), file(t, "outside", []byte("mine"))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pki.KeyFile, "." + pki.KeyFile + ".new"} {
		if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	c := issue(t, newAuthority(t, "careful"), pki.Request{CommonName: "svc", Usage: pki.Client})
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "mine" {
		t.Errorf("the file outside reads %q, %v", got, err)
	}
	if info, err := os.Lstat(filepath.Join(dir, pki.KeyFile)); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the key is %v, %v", info.Mode(), err)
	}
}

func TestACertificateOfARequestIsSavedWithoutAKey(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t, "keyless"), filepath.Join(t.TempDir(), "svc")
	request, _, err := pki.NewSigningRequest("svc", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Sign(request, pki.Request{CommonName: "svc", Usage: pki.Client})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, pki.KeyFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a key: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, pki.CertificateFile)); err != nil {
		t.Error(err)
	}
}
