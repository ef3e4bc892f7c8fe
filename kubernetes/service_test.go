//go:build kubernetes

package kubernetes_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/kustomize/api/types"
)

// A service is a golden tree that a test has applied, in a namespace of its own.
type service struct {
	*plane
	tree tree
	ns   string

	workload object
	pods     *pods
	replicas int
}

// golden returns the tree of a service of an estate in an environment.
func golden(t *testing.T, estate, service, env string) tree {
	t.Helper()
	want := strings.Join([]string{"kustomize", estate, service, "overlays", env}, "/")
	for _, tr := range trees(t) {
		if tr.String() == want {
			return tr
		}
	}
	t.Fatalf("there is no golden tree %s", want)
	return tree{}
}

// deploy applies a tree with so many instances, and waits until they are ready.
func (p *plane) deploy(t *testing.T, tr tree, replicas int) *service {
	t.Helper()
	s := &service{plane: p, tree: tr, ns: strings.ToLower(t.Name()[:min(len(t.Name()), 50)])}
	p.room(t, s.ns)
	s.apply(t)
	if s.workload == nil {
		t.Fatalf("%s has no workload", tr)
	}
	s.pods = p.watch(t, s.ns, s.workload.labels("spec", "selector", "matchLabels"))
	s.scale(t, replicas)
	return s
}

// apply applies the tree with changes of the test's own.
func (s *service) apply(t *testing.T, changes ...types.Kustomization) {
	t.Helper()
	for _, o := range s.tree.objects(t, append(changes, types.Kustomization{Namespace: s.ns})...) {
		if o.workload() {
			delete(o["spec"].(map[string]any), "replicas") // they are the autoscaler's, or the test's
		}
		applied, err := s.plane.apply(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", o, err)
		}
		if o.workload() {
			s.workload = applied
		}
		if o.kind() == "StatefulSet" {
			s.volumes(t, o)
		}
	}
}

// volumes brings volumes for what a workload claims: nobody here makes them.
func (s *service) volumes(t *testing.T, o object) {
	t.Helper()
	claims, _ := o.at("spec", "volumeClaimTemplates").([]any)
	for _, claim := range claims {
		spec := object(claim.(map[string]any)["spec"].(map[string]any))
		class := spec.text("storageClassName")
		if class == "" {
			class = "standard"
		}
		for i := range 5 {
			err := s.create(t.Context(), object{
				"apiVersion": "v1", "kind": "PersistentVolume", "metadata": map[string]any{"name": fmt.Sprintf("%s-%d", s.ns, i)},
				"spec": map[string]any{
					"storageClassName": class, "accessModes": spec["accessModes"], "capacity": spec.at("resources", "requests"),
					"hostPath": map[string]any{"path": "/nowhere"},
				},
			})
			if err != nil && !refused(err, 409) {
				t.Fatal(err)
			}
		}
	}
}

// scale sets the number of instances, as an autoscaler does, and waits for them.
func (s *service) scale(t *testing.T, replicas int) {
	t.Helper()
	path, err := s.path(t.Context(), s.workload)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.do(t.Context(), "PATCH", path+"/scale", object{"spec": map[string]any{"replicas": replicas}}); err != nil {
		t.Fatal(err)
	}
	s.replicas = replicas
	s.pods.until(t, fmt.Sprintf("%d pods are ready", replicas), settled(replicas))
	s.pods.forget()
}

// until waits for something to be true of an object.
func (p *plane) until(t *testing.T, o object, what string, holds func(now object) bool) object {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		now, err := p.get(ctx, o)
		if err == nil && holds(now) {
			return now
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %s: it does not come to that: %v, %v", o, what, err, now["status"])
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// find returns the object of a kind in a tree, or nil.
func (s *service) find(t *testing.T, kind string) object {
	t.Helper()
	for _, o := range s.tree.objects(t, types.Kustomization{Namespace: s.ns}) {
		if o.kind() == kind {
			return o
		}
	}
	return nil
}
