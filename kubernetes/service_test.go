//go:build kubernetes

package kubernetes_test

import (
	"cmp"
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
	return called(t, strings.Join([]string{"kustomize", estate, service, "overlays", env}, "/"))
}

// scaled returns the same with the autoscaler that is rendered for it.
func scaled(t *testing.T, estate, service, env string) tree {
	t.Helper()
	return called(t, fmt.Sprintf("autoscaling/%s-%s/%s on %s", estate, env, service, env))
}

func called(t *testing.T, name string) tree {
	t.Helper()
	for _, tr := range trees(t) {
		if tr.String() == name {
			return tr
		}
	}
	t.Fatalf("there is no golden tree %s", name)
	return tree{}
}

// deploy applies a tree with so many instances, and waits until they are ready.
func (p *plane) deploy(t *testing.T, tr tree, replicas int) *service {
	t.Helper()
	s := &service{plane: p, tree: tr, ns: fmt.Sprintf("%s-%d", strings.ToLower(t.Name()[:min(len(t.Name()), 50)]), p.rooms.Add(1))}
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

// volumes brings volumes for what the first instances of a workload claim: nobody
// here makes them. Each is for one claim alone.
func (s *service) volumes(t *testing.T, o object) {
	t.Helper()
	claims, _ := o.at("spec", "volumeClaimTemplates").([]any)
	for _, c := range claims {
		claim := object(c.(map[string]any))
		for i := range 5 {
			name := fmt.Sprintf("%s-%s-%d", claim.name(), o.name(), i)
			err := s.create(t.Context(), object{
				"apiVersion": "v1", "kind": "PersistentVolume", "metadata": map[string]any{"name": s.ns + "-" + name},
				"spec": map[string]any{
					"storageClassName": cmp.Or(claim.text("spec", "storageClassName"), "standard"),
					"claimRef":         map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": s.ns, "name": name},
					"accessModes":      claim.at("spec", "accessModes"), "capacity": claim.at("spec", "resources", "requests"),
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
