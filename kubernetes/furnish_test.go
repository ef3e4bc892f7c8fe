//go:build kubernetes

package kubernetes_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// resources are the files with the custom resources that manifests are rendered for,
// by module of the directory crds.
var resources = map[string][]string{
	"github.com/argoproj/argo-cd/v3":                     {"manifests/crds/*-crd.yaml"},
	"github.com/cert-manager/cert-manager":               {"deploy/crds/cert-manager.io_certificates.yaml"},
	"github.com/external-secrets/external-secrets":       {"config/crds/bases/external-secrets.io_externalsecrets.yaml"},
	"github.com/kedacore/keda/v2":                        {"config/crd/bases/keda.sh_scaledobjects.yaml", "config/crd/bases/keda.sh_triggerauthentications.yaml"},
	"github.com/prometheus-operator/prometheus-operator": {"example/prometheus-operator-crd/*_podmonitors.yaml", "example/prometheus-operator-crd/*_prometheusrules.yaml"},
	"istio.io/api": {"kubernetes/customresourcedefinitions.gen.yaml"},
}

// zones are those of the simulated nodes, two in each.
var zones = []string{"a", "b", "c"}

// furnish brings nodes and a class of volumes.
func (p *plane) furnish(ctx context.Context) error {
	for i := range 2 * len(zones) {
		if err := p.create(ctx, node(i)); err != nil {
			return err
		}
	}
	return p.create(ctx, object{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "kubernetes.io/no-provisioner",
		"metadata": map[string]any{"name": "standard", "annotations": map[string]any{"storageclass.kubernetes.io/is-default-class": "true"}},
	})
}

// define brings custom resources, and returns when objects of them are taken.
func (p *plane) define(ctx context.Context, crds []object) error {
	for _, crd := range crds {
		if err := p.create(ctx, crd); err != nil {
			return fmt.Errorf("%s: %w", crd, err)
		}
	}
	for _, crd := range crds {
		if err := p.await(ctx, crd.String(), func() error {
			o, err := p.get(ctx, crd)
			if err == nil && o.condition("Established") != "True" {
				err = errors.New("it is not established")
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// create creates an object in the place that is for its kind.
func (p *plane) create(ctx context.Context, o object) error {
	path, err := p.path(ctx, o)
	if err != nil {
		return err
	}
	_, err = p.do(ctx, "POST", strings.TrimSuffix(path, "/"+o.name()), o)
	return err
}

// node is a simulated node with room for everything.
func node(i int) object {
	name := "node-" + strconv.Itoa(i)
	room := map[string]any{"cpu": "64", "memory": "256Gi", "ephemeral-storage": "512Gi", "pods": "250"}
	return object{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{
			"name":        name,
			"annotations": map[string]any{"kwok.x-k8s.io/node": "fake"},
			"labels": map[string]any{
				"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
				"topology.kubernetes.io/zone": zones[i%len(zones)],
			},
		},
		"status": map[string]any{"allocatable": room, "capacity": room},
	}
}

// definitions reads the custom resource definitions from the module cache. Nothing of
// those modules is built.
func definitions(ctx context.Context) ([]object, error) {
	var all []object
	for module, patterns := range resources {
		dir, err := source(ctx, "crds", module)
		if err != nil {
			return nil, err
		}
		for _, pattern := range patterns {
			crds, err := read(filepath.Join(dir, filepath.FromSlash(pattern)))
			if err != nil {
				return nil, err
			}
			all = append(all, crds...)
		}
	}
	return all, nil
}

// read reads the custom resource definitions in files.
func read(pattern string) ([]object, error) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("find %s: %d files, %w", pattern, len(files), err)
	}
	var all []object
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for doc := range strings.SplitSeq("\n"+string(text), "\n---") {
			var o object
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if o["kind"] == "CustomResourceDefinition" {
				delete(o["spec"].(map[string]any), "conversion") // by an operator that is not here
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// source is where a module that another one pins has its files.
func source(ctx context.Context, within, module string) (string, error) {
	out, err := run(ctx, within, "go", "mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var found struct{ Dir string }
	return found.Dir, json.NewDecoder(strings.NewReader(out)).Decode(&found)
}

// stages writes what kwok does to nodes and pods, and returns its flags: a node is
// ready at once, a pod within a second, and a pod that is deleted takes as long to go.
func stages(ctx context.Context, dir string) ([]string, error) {
	kwok, err := source(ctx, "kwok", "sigs.k8s.io/kwok")
	if err != nil {
		return nil, err
	}
	var flags []string
	for i, name := range []string{
		"node/fast/node-initialize.yaml", "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
		"pod/fast/pod-ready.yaml", "pod/fast/pod-complete.yaml", "pod/fast/pod-delete.yaml",
	} {
		text, err := os.ReadFile(filepath.Join(kwok, "kustomize", "stage", filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		var stage object
		if err := yaml.Unmarshal(text, &stage); err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, "pod/") {
			stage["spec"].(map[string]any)["delay"] = map[string]any{"durationMilliseconds": 700, "jitterDurationMilliseconds": 1000}
		}
		data, err := json.Marshal(stage)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, fmt.Sprintf("stage-%d.yaml", i))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return nil, err
		}
		flags = append(flags, "--config="+path)
	}
	return flags, nil
}
