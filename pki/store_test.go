package pki_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

func saved(t *testing.T) (string, *pki.Authority) {
	t.Helper()
	a := newAuthority(t, "kept CA")
	dir := filepath.Join(t.TempDir(), "pki")
	if err := a.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir, a
}

func TestSavedAuthorityIssuesWhatTheFirstOneTrusts(t *testing.T) {
	t.Parallel()
	dir, a := saved(t)
	again, err := pki.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.PEM(), again.PEM()) || again.Name() != "kept CA" {
		t.Errorf("loaded %s with another certificate", again)
	}
	leaf := issue(t, again, pki.Request{CommonName: "svc", Usage: pki.Client}).TLS().Leaf
	if err := leaf.CheckSignatureFrom(parse(t, a.PEM())); err != nil {
		t.Error(err)
	}
}

func TestSavedFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir, a := saved(t)
	certs := filepath.Join(t.TempDir(), "deep", "svc")
	if err := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client}).Save(certs); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		dir: 0o700, filepath.Join(dir, pki.AuthorityKeyFile): 0o600, filepath.Join(dir, pki.AuthorityFile): 0o600,
		certs: 0o700, filepath.Join(certs, pki.KeyFile): 0o600, filepath.Join(certs, pki.CertificateFile): 0o600,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	got, err := os.ReadFile(filepath.Join(certs, pki.AuthorityFile))
	if err != nil || !bytes.Equal(got, a.PEM()) {
		t.Errorf("the root beside the certificate is not the authority's: %v", err)
	}
}

func TestAuthorityIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	dir, a := saved(t)
	if err := newAuthority(t, "other").Save(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Save over an authority = %v, want fs.ErrExist", err)
	}
	if again, err := pki.Load(dir); err != nil || !bytes.Equal(again.PEM(), a.PEM()) {
		t.Errorf("the first authority is gone: %v", err)
	}
}

func TestRenewedCertificateReplacesTheOld(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t, "renewer"), t.TempDir()
	os.Chmod(dir, 0o700)
	for range 2 {
		c := issue(t, a, pki.Request{CommonName: "svc", Usage: pki.Client, Lifetime: time.Hour})
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, pki.KeyFile)); err != nil || !bytes.Equal(got, c.KeyPEM()) {
			t.Errorf("the key on disk is not the last one saved: %v", err)
		}
	}
}

func TestLoadRefusesWhatOthersCouldTouch(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(dir string) error
		want  []error
	}{
		"key readable by all":   {func(dir string) error { return os.Chmod(filepath.Join(dir, pki.AuthorityKeyFile), 0o604) }, []error{pki.ErrLoose, diag.PKILoose}},
		"key readable by group": {func(dir string) error { return os.Chmod(filepath.Join(dir, pki.AuthorityKeyFile), 0o640) }, []error{pki.ErrLoose, diag.PKILoose}},
		"certificate writable":  {func(dir string) error { return os.Chmod(filepath.Join(dir, pki.AuthorityFile), 0o664) }, []error{pki.ErrLoose, diag.PKILoose}},
		"directory group's":     {func(dir string) error { return os.Chmod(dir, 0o770) }, []error{pki.ErrLoose, diag.PKILoose}},
		"directory listed":      {func(dir string) error { return os.Chmod(dir, 0o755) }, []error{pki.ErrLoose, diag.PKILoose}},
		"certificate missing":   {func(dir string) error { return os.Remove(filepath.Join(dir, pki.AuthorityFile)) }, []error{fs.ErrNotExist}},
		"nothing there":         {os.RemoveAll, []error{fs.ErrNotExist}},
		"key is a symbolic link": {func(dir string) error {
			key := filepath.Join(dir, pki.AuthorityKeyFile)
			return errors.Join(os.Rename(key, key+".real"), os.Symlink(pki.AuthorityKeyFile+".real", key))
		}, []error{diag.PKILink}},
		"key is a directory": {func(dir string) error {
			key := filepath.Join(dir, pki.AuthorityKeyFile)
			return errors.Join(os.Remove(key), os.Mkdir(key, 0o700))
		}, []error{diag.PKILink}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := saved(t)
			if err := tt.spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err := pki.Load(dir)
			for _, want := range tt.want {
				if !errors.Is(err, want) {
					t.Errorf("Load() = %v, want %v", err, want)
				}
			}
		})
	}
}
