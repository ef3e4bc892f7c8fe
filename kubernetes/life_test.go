//go:build kubernetes

package kubernetes_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
)

// While a new image is rolled out, there are never fewer instances than there should
// be: the new one is ready before an old one is told to go.
func TestARolloutNeverHasFewerInstancesThanAskedFor(t *testing.T) {
	t.Parallel()
	s := cluster(t).deploy(t, golden(t, "shop", "orders", "prod"), 3)
	before := s.pods.uids()
	image := types.Image{Name: s.image(), Digest: "sha256:" + strings.Repeat("2", 64)}
	s.apply(t, types.Kustomization{Images: []types.Image{image}})
	if least := s.pods.until(t, "every pod has the new image", renewed(3, before)); least < 3 {
		t.Errorf("there were %d ready instances at one time, want 3 at every time", least)
	}
}

// A node is emptied by the eviction API, which heeds the PodDisruptionBudget: all
// instances are asked to go at once, and all do, but never so many at a time that
// fewer than the budget's stay.
func TestADrainLeavesAsManyInstancesAsTheBudgetSays(t *testing.T) {
	t.Parallel()
	s := cluster(t).deploy(t, golden(t, "shop", "orders", "prod"), 3)
	budget := s.find(t, "PodDisruptionBudget")
	if budget == nil {
		t.Fatal("the tree has no budget")
	}
	floor := s.until(t, budget, "it has counted the pods", func(now object) bool { return now.number("status", "currentHealthy") == 3 }).number("status", "desiredHealthy")
	if floor < 1 {
		t.Fatalf("the budget lets all instances go: it wants %d healthy", floor)
	}
	left, refusals := s.pods.uids(), 0
	least := s.pods.until(t, "all pods have gone", func(all []object) bool {
		gone := true
		for _, pod := range all {
			if !slices.Contains(left, pod.uid()) {
				continue
			}
			gone = false
			if pod.at("metadata", "deletionTimestamp") != nil {
				continue
			}
			if err := s.evict(t, pod); refused(err, 429) {
				refusals++
			} else if err != nil && !refused(err, 404) {
				t.Fatal(err)
			}
		}
		return gone && settled(3)(all)
	})
	if least < floor {
		t.Errorf("%d instances were ready at one time, and the budget asks for %d", least, floor)
	}
	if refusals == 0 {
		t.Error("no eviction was refused, though all pods were evicted at once")
	}
}

// More instances are asked for by the scale subresource, as every autoscaler does.
// They join those that are there, on as many nodes as there are.
func TestAScaleUpKeepsTheInstancesThatAreThere(t *testing.T) {
	t.Parallel()
	s := cluster(t).deploy(t, golden(t, "shop", "orders", "prod"), 2)
	before := s.pods.uids()
	s.scale(t, 6)
	nodes := map[string]bool{}
	s.pods.until(t, "six pods are ready", func(all []object) bool {
		for _, pod := range all {
			nodes[pod.text("spec", "nodeName")] = true
		}
		return settled(6)(all)
	})
	after := s.pods.uids()
	if slices.ContainsFunc(before, func(uid string) bool { return !slices.Contains(after, uid) }) {
		t.Errorf("instances %v were there before, and there are %v", before, after)
	}
	if len(nodes) < 4 {
		t.Errorf("six instances are on %d of six nodes", len(nodes))
	}
}

// evict asks the API server to have a pod go, as kubectl drain does.
func (s *service) evict(t *testing.T, pod object) error {
	t.Helper()
	eviction := object{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": map[string]any{"name": pod.name(), "namespace": s.ns}}
	_, err := s.do(t.Context(), "POST", "/api/v1/namespaces/"+s.ns+"/pods/"+pod.name()+"/eviction", eviction)
	return err
}

// image is what the service's container runs, without tag and digest.
func (s *service) image() string {
	containers, _ := s.workload.at("spec", "template", "spec", "containers").([]any)
	for _, c := range containers {
		if container := object(c.(map[string]any)); container["name"] == "service" {
			name, _, _ := strings.Cut(container.text("image"), "@")
			if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
				name = name[:i]
			}
			return name
		}
	}
	return ""
}

// refused reports whether the API server has refused with a status.
func refused(err error, code int) bool {
	said, ok := errors.AsType[*refusal](err)
	return ok && said.Code == code
}
