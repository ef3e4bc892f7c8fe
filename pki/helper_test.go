package pki_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway/pki"
)

func chainPEM(a *pki.Authority) []byte {
	var out bytes.Buffer
	for _, c := range a.Chain() {
		out.Write(block("CERTIFICATE", c.Raw))
	}
	return out.Bytes()
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// openssl runs the program. Where it is missing the test is skipped, except
// where every tool is promised to be there.
func openssl(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	needOpenssl(t)
	cmd := exec.CommandContext(t.Context(), "openssl", args...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func needOpenssl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("openssl is not installed, and CI=true promises it")
	}
	t.Skip("openssl is not installed: what it says about our certificates is not asked")
}

// file writes a file for another program to read and returns its name.
func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
