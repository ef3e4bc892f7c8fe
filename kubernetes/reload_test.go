//go:build kubernetes

package kubernetes_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// edited is a copy of a golden tree with a line more in a file of its overlay, as a
// rendering writes it that follows from another contract.
func edited(t *testing.T, tr tree, file, line string) tree {
	t.Helper()
	service := filepath.Dir(filepath.Dir(tr.path)) // base and overlays are in it
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(service)); err != nil {
		t.Fatal(err)
	}
	overlay, err := filepath.Rel(service, tr.path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, overlay, filepath.FromSlash(file))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("\n" + line + "\n"); err != nil {
		t.Fatal(err)
	}
	return tree{target: tr.target, path: filepath.Join(dir, overlay)}
}

// With reload: live, a change of the configuration reaches the ConfigMap that the
// pods have mounted, and no pod is replaced.
func TestALiveChangeOfTheConfigurationKeepsThePods(t *testing.T) {
	t.Parallel()
	s := cluster(t).deploy(t, golden(t, "shop", "orders", "prod"), 2)
	before := s.pods.uids()
	s.tree = edited(t, s.tree, "config/prod.yaml", "consumer: {concurrency: 3}")
	s.apply(t)
	s.until(t, s.workload, "the controller has seen it", observed)
	if now := s.pods.uids(); !slices.Equal(now, before) {
		t.Errorf("pods were %v and are %v", before, now)
	}
	mounted := object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "orders-config", "namespace": s.ns}}
	now, err := s.get(t.Context(), mounted)
	if err != nil {
		t.Fatal(err)
	}
	want := s.find(t, "ConfigMap")
	if got := now.text("data", "prod.yaml"); got == "" || got != want.text("data", "prod.yaml") && want.name() == "orders-config" {
		t.Errorf("the ConfigMap has %q", got)
	}
}

// A variable cannot change in a process that runs. Pods are replaced, one after the
// other, and there are never fewer.
func TestAChangeOfAVariableReplacesThePods(t *testing.T) {
	t.Parallel()
	replaced(t, golden(t, "shop", "orders", "prod"), "variables.env", "LOG_LEVEL=debug")
}

// replaced changes a file of a tree, and sees to it that all pods are replaced and
// none is missing meanwhile.
func replaced(t *testing.T, tr tree, file, line string) {
	t.Helper()
	s := cluster(t).deploy(t, tr, 2)
	before := s.pods.uids()
	s.tree = edited(t, tr, file, line)
	s.apply(t)
	least := s.pods.until(t, "every pod is replaced", func(all []object) bool {
		return settled(2)(all) && !slices.ContainsFunc(all, func(pod object) bool { return slices.Contains(before, pod.uid()) })
	})
	if least < 2 {
		t.Errorf("there were %d ready instances at one time, want 2 at every time", least)
	}
}

// observed reports whether a workload's controller has seen its last change, and has
// nothing left to do.
func observed(now object) bool {
	replicas := now.number("status", "replicas")
	return now.number("status", "observedGeneration") == now.number("metadata", "generation") &&
		now.number("status", "updatedReplicas") == replicas && now.number("status", "readyReplicas") == replicas
}
