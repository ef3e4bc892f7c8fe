//go:build kubernetes

package kubernetes_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	const line = "consumer: {concurrency: 3}"
	s.tree = edited(t, s.tree, "config/prod.yaml", line)
	s.apply(t)
	s.until(t, s.workload, "the controller has seen it", observed)
	if now := s.pods.uids(); !slices.Equal(now, before) {
		t.Errorf("pods were %v and are %v", before, now)
	}
	if now := s.mounted(t, s.workload); now.name() != "orders-config" || !strings.Contains(now.text("data", "prod.yaml"), line) {
		t.Errorf("the ConfigMap %s has %q", now.name(), now.text("data", "prod.yaml"))
	}
}

// A variable cannot change in a process that runs. Pods are replaced, one after the
// other, and there are never fewer.
func TestAChangeOfAVariableReplacesThePods(t *testing.T) {
	t.Parallel()
	replaced(t, golden(t, "shop", "orders", "prod"), "variables.env", "LOG_LEVEL=debug")
}

// With reload: restart, a change of the configuration makes another ConfigMap, and the
// pods are replaced by pods that have that one mounted. The old one stays for those
// that have not been replaced yet, or are brought back by an undo.
func TestARestartingChangeOfTheConfigurationReplacesThePods(t *testing.T) {
	t.Parallel()
	const line = "consumer: {concurrency: 3}"
	s, before := replaced(t, golden(t, "everything", "orders", "dev"), "config/dev.yaml", line)
	old, now := s.mounted(t, before), s.mounted(t, s.workload)
	if old.name() == now.name() || !strings.HasPrefix(now.name(), "orders-config-") {
		t.Errorf("the ConfigMap was %s and is %s, want another name of orders-config", old.name(), now.name())
	}
	if strings.Contains(old.text("data", "dev.yaml"), line) || !strings.Contains(now.text("data", "dev.yaml"), line) {
		t.Errorf("the ConfigMap had %q and has %q", old.text("data", "dev.yaml"), now.text("data", "dev.yaml"))
	}
	all, _ := s.pods.all()
	for _, pod := range all {
		if name := configured(pod.at("spec")); name != now.name() {
			t.Errorf("%s has %s mounted, want %s", pod, name, now.name())
		}
	}
}

// replaced changes a file of a tree, and sees to it that all pods are replaced and
// none is missing meanwhile. It returns the workload as it was before, too.
func replaced(t *testing.T, tr tree, file, line string) (s *service, workload object) {
	t.Helper()
	s = cluster(t).deploy(t, tr, 2)
	before, workload := s.pods.uids(), s.workload
	s.tree = edited(t, tr, file, line)
	s.apply(t)
	if least := s.pods.until(t, "every pod is replaced", renewed(2, before)); least < 2 {
		t.Errorf("there were %d ready instances at one time, want 2 at every time", least)
	}
	return s, workload
}

// mounted is the ConfigMap of the configuration that pods of a workload read, as it is
// in the cluster.
func (s *service) mounted(t *testing.T, workload object) object {
	t.Helper()
	name := configured(workload.at("spec", "template", "spec"))
	o, err := s.get(t.Context(), object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": s.ns}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// configured is the name of the ConfigMap that a pod has mounted as its configuration.
func configured(pod any) string {
	spec, _ := pod.(map[string]any)
	volumes, _ := spec["volumes"].([]any)
	for _, v := range volumes {
		if volume := object(v.(map[string]any)); volume["name"] == "config" {
			return volume.text("configMap", "name")
		}
	}
	return ""
}

// observed reports whether a workload's controller has seen its last change, and has
// nothing left to do.
func observed(now object) bool {
	replicas := now.number("status", "replicas")
	return now.number("status", "observedGeneration") == now.number("metadata", "generation") &&
		now.number("status", "updatedReplicas") == replicas && now.number("status", "readyReplicas") == replicas
}
