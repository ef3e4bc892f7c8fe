package scaffold_test

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/scaffold"
)

func TestWhatIsWrittenIsValidWhateverItsName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "hello", "with-hyphens-9", strings.Repeat("n", 40)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), name)
			got, err := scaffold.Write(scaffold.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if got.Service != name {
				t.Errorf("service %q, want %q", got.Service, name)
			}
			estate, problems := contract.Load(os.DirFS(dir), ".")
			if problems = append(problems, estate.Validate()...); len(problems) > 0 {
				t.Errorf("the contract is not sound:\n%v", problems)
			}
			for _, file := range got.Files {
				if filepath.Ext(file) != ".go" {
					continue
				}
				if _, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file), nil, parser.SkipObjectResolution); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestNamesThatNoServiceCanHaveAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"Hello", "9lives", "-x", "x-", "a.b", "a_b", "a b", "..", strings.Repeat("n", 41), "x\n"} {
		if _, err := scaffold.Write(scaffold.Config{Dir: filepath.Join(dir, "new"), Name: name}); !errors.Is(err, diag.ContractName) {
			t.Errorf("name %q: error %v, want %s", name, err, diag.ContractName)
		}
	}
	requireEmpty(t, dir)
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was written", e.Name())
	}
}

func TestNothingIsWrittenWhereAnythingExists(t *testing.T) {
	t.Parallel()
	for name, occupy := range map[string]func(dir string) error{
		"a file":           func(dir string) error { return os.WriteFile(filepath.Join(dir, "main.go"), []byte("mine"), 0o600) },
		"a dangling link":  func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "main.go")) },
		"a directory":      func(dir string) error { return os.Mkdir(filepath.Join(dir, "main.go"), 0o755) },
		"a link elsewhere": func(dir string) error { return os.Symlink(t.TempDir(), filepath.Join(dir, "schemas")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "hello")
			if err := errors.Join(os.Mkdir(dir, 0o755), occupy(dir)); err != nil {
				t.Fatal(err)
			}
			_, err := scaffold.Write(scaffold.Config{Dir: dir})
			if err == nil || len(diag.Of(err)) == 0 {
				t.Fatalf("error %v, want a diagnostic", err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("%d entries, want the one that was there (%v)", len(entries), err)
			}
		})
	}
}

func TestGoModRequiresOnlyWhatCanBeFetched(t *testing.T) {
	t.Parallel()
	checkout := t.TempDir()
	if err := os.WriteFile(filepath.Join(checkout, "go.mod"), []byte("module github.com/slipway-go/slipway\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		version, replace string
		want             []string
		not              string
	}{
		"a release":       {"v1.2.3", "", []string{"require github.com/slipway-go/slipway v1.2.3"}, "replace"},
		"a checkout":      {"(devel)", "", nil, "require"},
		"with changes":    {"v1.2.3+dirty", "", nil, "require"},
		"between":         {"v0.0.0-20261121120000-abcdef012345", "", nil, "require"},
		"unknown":         {"", "", nil, "require"},
		"against another": {"v1.2.3", checkout, []string{"require github.com/slipway-go/slipway v0.0.0-", "replace github.com/slipway-go/slipway => " + checkout}, "v1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "hello")
			got, err := scaffold.Write(scaffold.Config{Dir: dir, Version: tt.version, Replace: tt.replace})
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("go.mod lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(string(text), tt.not) {
				t.Errorf("go.mod has %q:\n%s", tt.not, text)
			}
			asks := slices.Contains(got.Steps, "go mod edit -replace=github.com/slipway-go/slipway=PATH-OF-CHECKOUT")
			if unknown := len(tt.want) == 0; asks != unknown || strings.Contains(got.Note, "unreleased") != unknown {
				t.Errorf("steps %q, note %q", got.Steps, got.Note)
			}
		})
	}
}

func TestInsideAModuleTheStepsMakeSlipwayKnown(t *testing.T) {
	t.Parallel()
	checkout := filepath.Join(t.TempDir(), "a b")
	if err := os.Mkdir(checkout, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(checkout, "go.mod"), []byte("module github.com/slipway-go/slipway\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const replace = "go mod edit -replace=github.com/slipway-go/slipway="
	for name, tt := range map[string]struct {
		module, version, replace string
		want                     []string
		note                     bool
	}{
		"a release":                     {"module shop\n", "v1.2.3", "", []string{"go get github.com/slipway-go/slipway"}, false},
		"a checkout, named":             {"module shop\n", "(devel)", checkout, []string{replace + "'" + checkout + "'"}, false},
		"a checkout, not named":         {"module shop\n", "(devel)", "", []string{replace + "PATH-OF-CHECKOUT"}, true},
		"a checkout, an empty go.mod":   {"", "(devel)", "", []string{replace + "PATH-OF-CHECKOUT"}, true},
		"a checkout, and known to it":   {"module shop\n\nreplace github.com/slipway-go/slipway => ../slipway\n", "(devel)", "", nil, false},
		"a checkout instead of another": {"module shop\n\nrequire github.com/slipway-go/slipway v1.2.3\n", "(devel)", checkout, []string{replace + "'" + checkout + "'"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outer := t.TempDir()
			if err := os.WriteFile(filepath.Join(outer, "go.mod"), []byte(tt.module), 0o600); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(outer, "hello")
			got, err := scaffold.Write(scaffold.Config{Dir: dir, Version: tt.version, Replace: tt.replace})
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Concat([]string{"cd " + dir}, tt.want, []string{"go mod tidy", "go test ./...", "slipway up"})
			if !slices.Equal(got.Steps, want) || (got.Note != "") != tt.note {
				t.Errorf("steps %q, want %q; note %q", got.Steps, want, got.Note)
			}
			if text, err := os.ReadFile(filepath.Join(outer, "go.mod")); err != nil || string(text) != tt.module {
				t.Errorf("go.mod was changed (%v):\n%s", err, text)
			}
		})
	}
}

func TestInsideAModuleThereIsNoGoMod(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	if err := os.WriteFile(filepath.Join(outer, "go.mod"), []byte("module shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(outer, "services", "hello")
	got, err := scaffold.Write(scaffold.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); !errors.Is(err, fs.ErrNotExist) || slices.Contains(got.Files, "go.mod") {
		t.Errorf("there is a go.mod (%v), files %q", err, got.Files)
	}
}
