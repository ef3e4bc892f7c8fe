package kubernetes_test

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/kube-openapi/pkg/validation/validate"
)

// schemas is the archive with what the API server of controlplane/go.mod says of each
// kind that golden trees have, custom resources among them: its OpenAPI documents,
// where kubectl-validate looks for them. It is written by
//
//	go test -tags kubernetes -run TestSchemasAreThoseOfTheAPIServer . -schemas
var schemas = filepath.Join("testdata", "openapi.zip")

// A schema is what there is to know of a kind: as JSON has it, with what it refers to
// in place, and as kube-openapi validates by it.
type schema struct {
	tree      map[string]any
	validator *validate.SchemaValidator
}

// known are the schemas of all kinds in the archive, by version and kind.
var known = sync.OnceValues(func() (map[string]schema, error) {
	archive, err := zip.OpenReader(schemas)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	all := map[string]schema{}
	return all, fs.WalkDir(archive, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(archive, name)
		if err != nil {
			return err
		}
		_, version, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "/")
		if err := parse(text, version, all); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
})

// judge returns what is wrong with an object: fields that its schema does not know,
// which the API server refuses before all else, or values that are not as the schema
// says. An object without a schema is wrong, too.
func judge(o object) error {
	all, err := known()
	if err != nil {
		return err
	}
	s, ok := all[o.version()+" "+o.kind()]
	if !ok {
		return fmt.Errorf("%s has no %s %s: make it known with -schemas", schemas, o.version(), o.kind())
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil { // numbers as JSON has them
		return err
	}
	var problems []error
	for _, field := range unknown(value, s.tree, "") {
		problems = append(problems, fmt.Errorf("unknown field %q", field))
	}
	if len(problems) == 0 {
		problems = s.validator.Validate(value).Errors
	}
	return errors.Join(problems...)
}

func TestEveryObjectIsAsTheAPIServerDescribesIt(t *testing.T) {
	t.Parallel()
	for _, tr := range trees(t) {
		t.Run(tr.String(), func(t *testing.T) {
			t.Parallel()
			for _, o := range tr.built(t) {
				if err := judge(o); err != nil {
					t.Errorf("%s: %v", o, err)
				}
			}
		})
	}
}
