package file_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// repositories are the golden directories of the target github-actions, each what a
// repository would hold.
func repositories(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("..", "..", "render", "pipeline", "testdata", "*", ".github"))
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 4 {
		t.Fatalf("there are %d golden repositories, want at least 4: %v", len(dirs), dirs)
	}
	var all []string
	for _, dir := range dirs {
		full, err := filepath.Abs(filepath.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, full)
	}
	return all
}

// lint tells what actionlint says of a repository's workflows.
func lint(t *testing.T, repository string) []*actionlint.Error {
	t.Helper()
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{WorkingDir: repository, Color: actionlint.ColorOptionKindNever})
	if err != nil {
		t.Fatal(err)
	}
	project, err := actionlint.NewProject(repository)
	if err != nil {
		t.Fatal(err)
	}
	workflows := filepath.Join(repository, ".github", "workflows")
	found, err := linter.LintDir(workflows, project)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestActionlintFindsNothingInAnyWorkflow(t *testing.T) {
	t.Parallel()
	for _, repository := range repositories(t) {
		t.Run(filepath.Base(repository), func(t *testing.T) {
			t.Parallel()
			for _, found := range lint(t, repository) {
				t.Errorf("%v [%s]", found, found.Kind)
			}
		})
	}
}

func TestActionlintFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, new, kind string }{
		"unknown key":        {"\njobs:", "\njob:", "syntax-check"},
		"unknown runner":     {"runs-on: ubuntu-24.04", "runs-on: ubuntu-2404", "runner-label"},
		"unknown property":   {"github.event_name", "github.event_nam", "expression"},
		"unknown permission": {"contents: read", "content: read", "permissions"},
		"unknown job":        {"    needs:\n    - test", "    needs:\n    - tests", "job-needs"},
		"unknown shell":      {"shell: bash", "shell: bsh", "shell-name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", "..", "render", "pipeline", "testdata", "shop", ".github", "workflows", "orders.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), tt.old) {
				t.Fatalf("the golden workflow has no %q", tt.old)
			}
			repository := t.TempDir()
			workflow := filepath.Join(repository, ".github", "workflows", "orders.yaml")
			if err := os.MkdirAll(filepath.Dir(workflow), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(workflow, []byte(strings.Replace(string(text), tt.old, tt.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, found := range lint(t, repository) {
				if found.Kind == tt.kind {
					return
				}
			}
			t.Errorf("actionlint finds no fault of kind %s", tt.kind)
		})
	}
}
