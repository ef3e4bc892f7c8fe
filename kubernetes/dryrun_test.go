//go:build kubernetes

package kubernetes_test

import (
	"errors"
	"net/http"
	"testing"
)

// Every object of every golden tree is taken by the API server as it is written:
// fields are known, values valid, versions current, without so much as a warning.
func TestTheAPIServerTakesEveryObject(t *testing.T) {
	t.Parallel()
	p := server(t)
	for _, tr := range trees(t) {
		if tr.target != "strimzi" { // whose definitions take more: see its own test
			p.takes(t, tr)
		}
	}
}

// takes tries the objects of a tree.
func (p *plane) takes(t *testing.T, tr tree) {
	t.Helper()
	t.Run(tr.String(), func(t *testing.T) {
		t.Parallel()
		for _, o := range tr.built(t) {
			p.room(t, o.namespace())
			if err := p.try(t.Context(), o); err != nil {
				t.Errorf("%s: %v", o, err)
			}
		}
	})
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
