//go:build kubernetes

package kubernetes_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// unknown are versions that no module has a custom resource definition for. Their
// objects are judged by the tests of their own target.
var unknown = []string{"kafka.strimzi.io/"}

// Every object of every golden tree is taken by the API server as it is written:
// fields are known, values valid, versions current, without so much as a warning.
func TestTheAPIServerTakesEveryObject(t *testing.T) {
	t.Parallel()
	p := cluster(t)
	for _, tr := range trees(t) {
		t.Run(tr.String(), func(t *testing.T) {
			t.Parallel()
			for _, o := range tr.objects(t) {
				if slices.ContainsFunc(unknown, func(prefix string) bool { return strings.HasPrefix(o.version(), prefix) }) {
					continue
				}
				p.room(t, o.namespace())
				if err := p.try(t.Context(), o); err != nil {
					t.Errorf("%s: %v", o, err)
				}
			}
		})
	}
}

// room sees to it that a namespace is there.
func (p *plane) room(t *testing.T, name string) {
	t.Helper()
	if name == "" {
		return
	}
	err := p.create(t.Context(), object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}})
	if said, ok := errors.AsType[*refusal](err); err != nil && (!ok || said.Code != http.StatusConflict) {
		t.Fatal(err)
	}
}
