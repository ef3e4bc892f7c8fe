package kubernetes_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// A tree is what one command applies to a cluster: an overlay that kustomize builds,
// or a file that is applied as it is.
type tree struct {
	target string // whose golden tree it is: a directory below render
	path   string // of the directory or file
	onto   string // of a component: the overlay that takes it in
}

func (tr tree) String() string {
	name, _ := filepath.Rel(filepath.Join("..", "render"), tr.path)
	name = strings.Replace(filepath.ToSlash(name), "/testdata/", "/", 1)
	if tr.onto != "" {
		name += " on " + filepath.Base(tr.onto)
	}
	return name
}

// trees are all that the targets' golden files hold. A kustomization that another
// one builds upon is no tree of its own. A component is one with each overlay that it
// is for, as a team adds it.
func trees(t *testing.T) []tree {
	t.Helper()
	golden, err := filepath.Glob(filepath.Join("..", "render", "*", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	var all []tree
	for _, dir := range golden {
		target := filepath.Base(filepath.Dir(dir))
		for _, path := range roots(t, dir) {
			if !component(t, path) {
				all = append(all, tree{target: target, path: path})
				continue
			}
			for _, overlay := range hosts(t, dir, path) {
				all = append(all, tree{target: target, path: path, onto: overlay})
			}
		}
	}
	return all
}

// roots are the kustomizations below a directory that no other one includes, and
// the manifests that are part of no kustomization.
func roots(t *testing.T, dir string) []string {
	t.Helper()
	kustomizations, included := map[string]bool{}, map[string]bool{}
	var manifests []string
	walk(t, dir, func(path string, doc map[string]any) {
		if filepath.Base(path) != "kustomization.yaml" {
			manifests = append(manifests, path)
			return
		}
		own := filepath.Dir(path)
		kustomizations[own] = true
		for _, field := range []string{"resources", "components", "bases"} {
			items, _ := doc[field].([]any)
			for _, item := range items {
				included[filepath.Join(own, fmt.Sprint(item))] = true
			}
		}
	})
	var all []string
	for path := range kustomizations {
		if !included[path] {
			all = append(all, path)
		}
	}
	for _, path := range manifests {
		if !within(path, dir, kustomizations) && !included[path] {
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// walk visits the YAML files below a directory that hold objects of Kubernetes.
func walk(t *testing.T, dir string, visit func(path string, doc map[string]any)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		for _, doc := range documents(t, path) {
			api, _ := doc["apiVersion"].(string)
			kustomization := filepath.Base(path) == "kustomization.yaml"
			if kustomization || api != "" && doc["kind"] != nil && !strings.HasPrefix(api, "slipway.dev/") {
				visit(path, doc)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// within reports whether a directory between a path and the top has a kustomization:
// then its files are for that one to name.
func within(path, top string, kustomizations map[string]bool) bool {
	for dir := filepath.Dir(path); len(dir) >= len(top); dir = filepath.Dir(dir) {
		if kustomizations[dir] {
			return true
		}
	}
	return false
}

// builds are the trees that kustomize has built: many tests ask for each.
var builds sync.Map // from tree to func() []object

// built are the objects of a tree, built once for all tests, which must not change
// them. No tree is empty.
func (tr tree) built(t *testing.T) []object {
	t.Helper()
	build, _ := builds.LoadOrStore(tr, sync.OnceValue(func() []object { return tr.objects(t) }))
	all := build.(func() []object)()
	if len(all) == 0 {
		t.Fatalf("%s is empty, or could not be built", tr)
	}
	return all
}

// objects are what a tree holds, in the order in which it is to be applied. Changes
// are kustomizations of the test's own, laid over the tree.
func (tr tree) objects(t *testing.T, changes ...types.Kustomization) []object {
	t.Helper()
	var all []object
	if filepath.Ext(tr.path) == ".yaml" {
		for _, doc := range documents(t, tr.path) {
			all = append(all, doc)
		}
		return all
	}
	disk, path := filesys.MakeFsOnDisk(), tr.path
	if tr.onto != "" {
		ns, _ := documents(t, filepath.Join(tr.onto, "kustomization.yaml"))[0]["namespace"].(string)
		path = overlay(t, tr.onto, types.Kustomization{Components: []string{tr.path}, Namespace: ns})
	}
	for _, change := range changes {
		path = overlay(t, path, change)
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy // a namespace before what is in it
	built, err := krusty.MakeKustomizer(options).Run(disk, path)
	if err != nil {
		t.Fatalf("%s: kustomize build: %v", tr, err)
	}
	for _, res := range built.Resources() {
		m, err := res.Map()
		if err != nil {
			t.Fatalf("%s: %v", tr, err)
		}
		all = append(all, m)
	}
	return all
}

// overlay writes a kustomization upon another one, if any, and returns its directory.
func overlay(t *testing.T, base string, k types.Kustomization) string {
	t.Helper()
	dir := t.TempDir()
	k.TypeMeta = types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}
	if base != "" {
		k.Resources = append(slices.Clone(k.Resources), base)
	}
	k.Resources, k.Components = from(t, dir, k.Resources), from(t, dir, k.Components)
	data, err := yaml.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// from rewrites paths to be relative to a directory, which is all that kustomize takes.
func from(t *testing.T, dir string, paths []string) []string {
	t.Helper()
	var all []string
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		relative, err := filepath.Rel(dir, full)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, relative)
	}
	return all
}

// documents are those of a YAML file. A key that is there twice is a fault.
func documents(t *testing.T, path string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for doc := range strings.SplitSeq("\n"+string(text), "\n---") {
		var m map[string]any
		if err := yaml.UnmarshalStrict([]byte(doc), &m); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(m) > 0 {
			all = append(all, m)
		}
	}
	return all
}
