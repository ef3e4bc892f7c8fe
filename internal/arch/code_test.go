package arch_test

import (
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/diag"
)

// declaredCodes returns the names of the catalogue's constants by code.
func declaredCodes(t *testing.T) map[diag.Code]string {
	t.Helper()
	names := map[diag.Code]string{}
	for _, s := range tree(t) {
		if !s.product() || s.dir() != "diag" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !isCode(spec) {
				return true
			}
			for i, name := range spec.Names {
				text, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				if other, twice := names[diag.Code(text)]; twice {
					t.Errorf("%s:%d: %s is the code of %s too", s.path, s.line(n), text, other)
				}
				names[diag.Code(text)] = name.Name
			}
			return true
		})
	}
	return names
}

// isCode takes `Name Code = "SLP-…"`.
func isCode(spec *ast.ValueSpec) bool {
	typ, ok := spec.Type.(*ast.Ident)
	return ok && typ.Name == "Code" && len(spec.Values) == len(spec.Names) && len(spec.Values) > 0
}

func TestEveryCodeIsWellFormedUniqueAndExplained(t *testing.T) {
	t.Parallel()
	names := declaredCodes(t)
	if len(names) == 0 {
		t.Error("the catalogue declares no code")
	}
	form := regexp.MustCompile(`^SLP-[A-Z]{2,3}-[0-9]{3}$`)
	var seen []diag.Code
	for _, e := range diag.Catalogue() {
		if names[e.Code] == "" {
			t.Errorf("%s has an entry but no constant", e.Code)
		}
		if slices.Contains(seen, e.Code) {
			t.Errorf("%s has two entries", e.Code)
		}
		seen = append(seen, e.Code)
		if !form.MatchString(string(e.Code)) {
			t.Errorf("%s is not of the form SLP-AB-001 or SLP-ABC-001", e.Code)
		}
		for what, text := range map[string]string{"title": e.Title, "cause": e.Cause, "fix": e.Fix} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", e.Code, what)
			}
		}
	}
	for code, name := range names {
		if !slices.Contains(seen, code) {
			t.Errorf("%s (%s) has no entry in the catalogue", name, code)
		}
	}
}

// A code counts as provoked where a test names its constant or spells it out.
// The tests of diag itself are left out: they only look at the catalogue.
func TestEveryCodeIsProvokedBySomeTest(t *testing.T) {
	t.Parallel()
	mentioned := map[string]bool{}
	word := regexp.MustCompile(`\bdiag\.[A-Z]\w*\b|\bSLP-[A-Z]{2,3}-[0-9]{3}\b`)
	for _, s := range tree(t) {
		inTestdata := strings.Contains("/"+s.path, "/testdata/")
		if !s.isTest() && !inTestdata && !s.isScript() || s.dir() == "diag" || s.dir() == "internal/arch" {
			continue
		}
		for _, m := range word.FindAll(s.text, -1) {
			mentioned[string(m)] = true
		}
	}
	names := declaredCodes(t)
	for _, code := range slices.Sorted(maps.Keys(names)) {
		if !mentioned[string(code)] && !mentioned["diag."+names[code]] {
			t.Errorf("no test provokes %s (diag.%s)", code, names[code])
		}
	}
}

// A code that nothing produces explains a problem that nobody can have.
func TestEveryCodeIsProducedSomewhere(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range tree(t) {
		if s.ast == nil || s.isTest() || s.dir() == "diag" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "diag" {
					used[sel.Sel.Name] = true
				}
			}
			return true
		})
	}
	names := declaredCodes(t)
	for _, code := range slices.Sorted(maps.Keys(names)) {
		if !used[names[code]] {
			t.Errorf("nothing produces %s (diag.%s)", code, names[code])
		}
	}
}
