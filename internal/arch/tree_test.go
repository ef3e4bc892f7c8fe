package arch_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/slipway-go/slipway"
)

// A source is one text file of the repository. Paths are relative to the root
// and have slashes.
type source struct {
	path   string
	text   []byte
	nested string    // the directory of the nested module it belongs to, or empty
	ast    *ast.File // of Go files
}

func (s source) dir() string    { return path.Dir(s.path) }
func (s source) isTest() bool   { return strings.HasSuffix(s.path, "_test.go") }
func (s source) isScript() bool { return strings.HasSuffix(s.path, ".txtar") }

// product reports whether the file is compiled into the module's packages.
func (s source) product() bool { return s.ast != nil && s.nested == "" && !s.isTest() }

var positions = token.NewFileSet()

func (s source) line(n ast.Node) int { return positions.Position(n.Pos()).Line }

// imports returns the paths that the file imports.
func (s source) imports() []string {
	var all []string
	for _, spec := range s.ast.Imports {
		all = append(all, strings.Trim(spec.Path.Value, `"`))
	}
	return all
}

// tree returns every text file of the repository, nested modules included.
// Go files below testdata are text only: they belong to no package.
func tree(t *testing.T) []source {
	t.Helper()
	all, err := loadTree()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("%d files under %s: this is not the repository", len(all), root)
	}
	return all
}

var loadTree = sync.OnceValues(func() ([]source, error) {
	var all []source
	var nested []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if skipDir(name) {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil && name != "." {
				nested = append(nested, name)
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		s, err := readSource(file, name, nested)
		if err != nil || bytes.IndexByte(s.text, 0) >= 0 {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
})

// skipDir leaves out what is not the project's: version control, and what
// commands leave in the tree (see .gitignore).
func skipDir(name string) bool {
	base := path.Base(name)
	return base == ".git" || base == ".slipway" || base == "bin" || strings.HasSuffix(name, "testdata/rapid")
}

func readSource(file, name string, nested []string) (source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return source{}, err
	}
	s := source{path: name, text: text}
	for _, dir := range nested {
		if strings.HasPrefix(name, dir+"/") {
			s.nested = dir
		}
	}
	if path.Ext(name) == ".go" && !strings.Contains("/"+name, "/testdata/") {
		s.ast, err = parser.ParseFile(positions, file, text, parser.ParseComments|parser.SkipObjectResolution)
	}
	return s, err
}
