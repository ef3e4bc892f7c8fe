package arch_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// The nested modules are free to put it beside the code, as a user's are.
func TestEveryPackageExplainsItselfOnce(t *testing.T) {
	t.Parallel()
	files := map[string][]source{}
	for _, s := range tree(t) {
		if s.ast != nil && !s.isTest() {
			files[s.dir()] = append(files[s.dir()], s)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		var commented []source
		for _, s := range files[dir] {
			if s.ast.Doc != nil {
				commented = append(commented, s)
			}
		}
		if len(commented) != 1 {
			t.Errorf("%s has %d package comments, want one", dir, len(commented))
			continue
		}
		s := commented[0]
		if s.nested == "" && len(files[dir]) > 1 && path.Base(s.path) != "doc.go" {
			t.Errorf("%s explains the package; that belongs in %s", s.path, path.Join(dir, "doc.go"))
		}
		want := []string{"Package " + s.ast.Name.Name + " "}
		if s.ast.Name.Name == "main" { // a command begins with its own name, as gofmt does
			want = []string{"Command ", strings.ToUpper(path.Base(dir)[:1]) + path.Base(dir)[1:] + " "}
		}
		text := s.ast.Doc.Text()
		if !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(text, w) }) {
			first, _, _ := strings.Cut(text, "\n")
			t.Errorf("%s begins %q, want it to begin with one of %q", s.path, first, want)
		}
	}
}

func TestTestsDoNotExplainAPackage(t *testing.T) {
	t.Parallel()
	for _, s := range tree(t) {
		if s.ast != nil && s.isTest() && s.ast.Doc != nil {
			t.Errorf("%s has a package comment; go doc shows the one of the package itself", s.path)
		}
	}
}
