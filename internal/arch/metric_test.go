package arch_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// instrument is the name of an OpenTelemetry instrument; exported one that a
// Prometheus collector makes itself.
var (
	instrument = regexp.MustCompile(`^(slipway|kafka|channel|business|messaging)(\.[a-z]+)+$`)
	exported   = regexp.MustCompile(`^slipway(_[a-z]+)+$`)
)

// A metric that nobody can look up is noise: each that the code makes has its row
// in docs/reference/metrics.md, under the name that Prometheus gives it.
func TestEveryMetricIsInTheReference(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range tree(t) {
		if !s.product() || s.ast == nil {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			name, of := literal(call.Args[0]), called(call)
			switch {
			case instrument.MatchString(name) && !strings.HasPrefix(of, "attribute."):
				name = strings.ReplaceAll(name, ".", "_")
			case !exported.MatchString(name) || of != "prometheus.NewDesc":
				return true
			}
			found++
			if !regexp.MustCompile("(?m)^\\| `" + name + "(_[a-z]+)?(_total)?` \\|").Match(page) {
				t.Errorf("%s makes the metric %s, which docs/reference/metrics.md does not list", s.path, name)
			}
			return true
		})
	}
	if found < 80 {
		t.Errorf("the code makes %d metrics: are they made in another way now?", found)
	}
}

// literal is the text of a string literal, or nothing.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value) // "" for a number
	return text
}

// called is what a call calls, with its package or receiver if that is a name.
func called(call *ast.CallExpr) string {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := f.X.(*ast.Ident); ok {
		return x.Name + "." + f.Sel.Name
	}
	return f.Sel.Name
}
