package arch_test

import (
	"go/ast"
	"go/parser"
	"path"
	"slices"
	"strings"
	"testing"
)

// Where TLS is made, and where a chain is read of a server that is not trusted
// (and then verified by hand).
const (
	tlsPolicy  = "internal/secure"
	tlsReading = "pki/inspect"
)

// plainHTTP are the files that speak HTTP to this machine only, without TLS.
var plainHTTP = []string{"internal/dev/registry.go", "internal/up/ready.go"}

// TLS that is made in one place follows one policy. What else would make some,
// mostly by a default nobody thinks of, is refused here.
func TestTLSIsMadeInOnePlace(t *testing.T) {
	t.Parallel()
	made := false
	for _, s := range tree(t) {
		if s.ast == nil || s.nested != "" {
			continue
		}
		made = made || s.dir() == tlsPolicy
		for _, f := range tlsFaults(s) {
			t.Errorf("%s:%d: %s", s.path, s.line(f.node), f.text)
		}
	}
	if !made {
		t.Errorf("%s is not there", tlsPolicy)
	}
}

type tlsFault struct {
	node ast.Node
	text string
}

// defaults are the functions and variables that speak TLS, or HTTP, as their
// package pleases.
var defaults = map[string][]string{
	"crypto/tls":                       {"Dial", "DialWithDialer", "Listen", "Dialer"},
	"net/http":                         {"DefaultTransport", "DefaultClient", "Get", "Head", "Post", "PostForm", "ListenAndServe", "ListenAndServeTLS", "Serve", "ServeTLS"},
	"github.com/twmb/franz-go/pkg/kgo": {"DialTLS"},
	"oras.land/oras-go/v2/registry/remote/retry": {"DefaultClient"},
}

// tlsFaults returns what a file does on its own about TLS. In tests only what
// leaves out verification is a fault.
func tlsFaults(s source) (all []tlsFault) {
	add := func(n ast.Node, text string) { all = append(all, tlsFault{n, text}) }
	names := importNames(s.ast)
	is := func(e ast.Expr, pkg string, symbols ...string) bool {
		sel, ok := e.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		return ok && names[id.Name] == pkg && slices.Contains(symbols, sel.Sel.Name)
	}
	policy, reading := s.dir() == tlsPolicy, s.dir() == tlsReading
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "InsecureSkipVerify" && (!reading || s.isTest()) {
			add(n, "InsecureSkipVerify; trust the cluster's CA instead")
		}
		if id, ok := n.(*ast.Ident); ok && id.Name == "VerifyPeerCertificate" {
			add(n, "VerifyPeerCertificate, which resumed sessions do not pass; use VerifyConnection")
		}
		if s.isTest() {
			return true
		}
		switch n := n.(type) {
		case *ast.CompositeLit:
			switch {
			case is(n.Type, "crypto/tls", "Config") && !policy && !reading:
				add(n, "a tls.Config of its own; use secure.Client or secure.Server")
			case is(n.Type, "net/http", "Client") && !hasKey(n, "Transport"):
				add(n, "an http.Client with everybody's transport; use secure.Transport")
			case is(n.Type, "net/http", "Transport") && !slices.Contains(plainHTTP, s.path):
				add(n, "an http.Transport of its own; use secure.Transport")
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 && !policy && !reading &&
				(is(n.Args[0], "crypto/tls", "Config") || is(n.Args[0], "net/http", "Transport", "Client")) {
				add(n, "new of a configuration for TLS; use internal/secure")
			}
		case *ast.ValueSpec:
			if is(n.Type, "crypto/tls", "Config") && !policy && !reading || is(n.Type, "net/http", "Transport", "Client") {
				add(n, "a variable with a configuration for TLS; use internal/secure")
			}
		case *ast.SelectorExpr:
			for pkg, symbols := range defaults {
				if is(n, pkg, symbols...) && !policy {
					add(n, path.Base(pkg)+"."+n.Sel.Name+" speaks TLS by its own defaults; use internal/secure")
				}
			}
		}
		return true
	})
	return all
}

// importNames maps what a file calls its imports to their paths.
func importNames(f *ast.File) map[string]string {
	names := make(map[string]string)
	for _, spec := range f.Imports {
		imp := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(imp)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imp
	}
	return names
}

func hasKey(lit *ast.CompositeLit, key string) bool {
	return slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		id, ok := kv.Key.(*ast.Ident)
		return ok && id.Name == key
	})
}

// A rule that never matches anything is no rule.
func TestTLSOfItsOwnIsRecognised(t *testing.T) {
	t.Parallel()
	const head = "package p\nimport (\"crypto/tls\"; \"net/http\"; \"github.com/twmb/franz-go/pkg/kgo\"; other \"crypto/tls\")\n"
	for name, tt := range map[string]struct {
		file, code string
		want       int
	}{
		"a literal":                     {"plan/x.go", "var c = &tls.Config{MinVersion: tls.VersionTLS13}", 1},
		"a literal under another name":  {"plan/x.go", "var c = other.Config{}", 1},
		"new":                           {"plan/x.go", "var c = new(tls.Config)", 1},
		"a zero value":                  {"plan/x.go", "func f() { var c tls.Config; _ = c }", 1},
		"a literal in a list":           {"plan/x.go", "var c = []*tls.Config{&tls.Config{}}", 1},
		"the policy's own":              {"internal/secure/x.go", "var c = &tls.Config{}", 0},
		"the reader's own":              {"pki/inspect/x.go", "var c = &tls.Config{InsecureSkipVerify: true}", 0},
		"a test's":                      {"plan/x_test.go", "var c = &tls.Config{}", 0},
		"no verification":               {"internal/secure/x.go", "func f(c *tls.Config) { c.InsecureSkipVerify = true }", 1},
		"no verification in a test":     {"pki/inspect/x_test.go", "func f(c *tls.Config) { c.InsecureSkipVerify = true }", 1},
		"what resumed sessions pass by": {"internal/secure/x.go", "var c = &tls.Config{VerifyPeerCertificate: nil}", 1},
		"tls.Dial":                      {"pki/inspect/x.go", "var d = tls.Dial", 1},
		"tls.DialWithDialer":            {"plan/x.go", "var d = tls.DialWithDialer", 1},
		"tls.Dialer":                    {"plan/x.go", "var d = tls.Dialer{}", 1},
		"tls.Listen":                    {"plan/x.go", "var d = tls.Listen", 1},
		"everybody's transport":         {"plan/x.go", "var d = http.DefaultTransport", 1},
		"everybody's client":            {"plan/x.go", "var d = http.DefaultClient", 1},
		"a request by it":               {"plan/x.go", "var d, err = http.Get(\"https://a.example\")", 1},
		"a client without a transport":  {"plan/x.go", "var d = &http.Client{}", 1},
		"a client with one":             {"plan/x.go", "var d = &http.Client{Transport: nil}", 0},
		"a zero client":                 {"plan/x.go", "var d http.Client", 1},
		"a transport":                   {"plan/x.go", "var d = &http.Transport{}", 1},
		"one for this machine":          {"internal/up/ready.go", "var d = &http.Transport{}", 0},
		"Kafka's default":               {"plan/x.go", "var d = kgo.DialTLS()", 1},
		"Kafka's with a configuration":  {"plan/x.go", "var d = kgo.DialTLSConfig(nil)", 0},
		"a type":                        {"plan/x.go", "type T struct { TLS *tls.Config; HTTP *http.Client }", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := source{path: tt.file}
			var err error
			if s.ast, err = parser.ParseFile(positions, tt.file, head+tt.code, parser.SkipObjectResolution); err != nil {
				t.Fatal(err)
			}
			if got := tlsFaults(s); len(got) != tt.want {
				t.Errorf("%q has %d faults, want %d: %v", tt.code, len(got), tt.want, got)
			}
		})
	}
}
