package rendertest

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/render"
)

// Failer is a test: [testing.TB], or one of rapid's.
type Failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// An Object is one of the objects in files that a target made.
type Object struct {
	Path string
	Body map[string]any
}

// Objects are those of the files, which have to be YAML. A test fails if one of
// Kubernetes' objects does not say whose it is.
func Objects(t Failer, files []render.File) []Object {
	t.Helper()
	var all []Object
	for _, f := range files {
		decoder := yaml.NewDecoder(bytes.NewReader(f.Content))
		for {
			var body map[string]any
			err := decoder.Decode(&body)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s is not YAML: %v\n%s", f.Path, err, f.Content)
			}
			o := Object{f.Path, body}
			if labels, _ := o.At("metadata", "labels").(map[string]any); !o.config() && labels[ownerLabel] == nil {
				t.Errorf("%s does not say whose it is", f.Path)
			}
			all = append(all, o)
		}
	}
	return all
}

// ownerLabel is what every object says its owner by.
const ownerLabel = "slipway.dev/owner"

// config reports whether the object is for kustomize, which no cluster sees.
func (o Object) config() bool {
	version, _ := o.Body["apiVersion"].(string)
	return strings.HasPrefix(version, "kustomize.config.k8s.io/")
}

// Kind is the object's kind.
func (o Object) Kind() string {
	kind, _ := o.Body["kind"].(string)
	return kind
}

// At is what is at a path of keys and indexes, or nil.
func (o Object) At(path ...any) any {
	var at any = o.Body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := at.(map[string]any)
			at = m[step]
		case int:
			l, _ := at.([]any)
			if step >= len(l) {
				return nil
			}
			at = l[step]
		}
	}
	return at
}
