package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/postgres"
)

func TestAMissingPostgresIsNamed(t *testing.T) {
	t.Parallel()
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: t.TempDir(), Bin: t.TempDir()})
	if !errors.Is(err, diag.PostgresMissing) {
		t.Errorf("Start without programs: %v, want %s", err, diag.PostgresMissing)
	}
}

// Programs that end at once stand in for an initdb that fails: the code and the
// evidence are there without a Postgres.
func TestAFailingInitdbIsEvidence(t *testing.T) {
	t.Parallel()
	bin, err := os.MkdirTemp("", "slipway-bin-") //nolint:usetesting // t.TempDir is closed to the user that a server of root runs as
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(bin) })
	for _, name := range []string{"postgres", "initdb", "createdb"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho no room left\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Start(t.Context(), postgres.Config{Dir: filepath.Join(bin, "pg"), Bin: bin})
	if !errors.Is(err, diag.PostgresNotStarted) || len(diag.Of(err)[0].Evidence) != 1 {
		t.Errorf("Start with a failing initdb: %v, want %s and what initdb said", err, diag.PostgresNotStarted)
	}
}

func TestADirectoryThatIsAFileIsRefused(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for _, name := range []string{"postgres", "initdb", "createdb"} {
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := postgres.Start(t.Context(), postgres.Config{Dir: filepath.Join(bin, "initdb"), Bin: bin})
	if !errors.Is(err, diag.PostgresDirectory) {
		t.Errorf("Start in a file: %v, want %s", err, diag.PostgresDirectory)
	}
}
