package kubernetes_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
)

// component reports whether a directory has a component.
func component(t *testing.T, path string) bool {
	t.Helper()
	return filepath.Ext(path) != ".yaml" && documents(t, filepath.Join(path, "kustomization.yaml"))[0]["kind"] == types.ComponentKind
}

// hosts are the overlays that a component of a target is for: those of its service and
// estate with the namespace that its objects have, or all of them if they have none.
func hosts(t *testing.T, testdata, path string) []string {
	t.Helper()
	relative, err := filepath.Rel(testdata, path)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(filepath.ToSlash(relative), "/")
	service := parts[len(parts)-1]
	if i := slices.Index(parts, "components"); i > 0 {
		service = parts[i-1]
	}
	overlays, err := filepath.Glob(filepath.Join("..", "render", "kustomize", "testdata", "*", service, "overlays", "*"))
	if err != nil {
		t.Fatal(err)
	}
	own := namespaces(t, path)
	var all []string
	for _, overlay := range overlays {
		estate := filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(overlay))))
		ns, _ := documents(t, filepath.Join(overlay, "kustomization.yaml"))[0]["namespace"].(string)
		of := slices.ContainsFunc(parts, func(part string) bool { return part == estate || strings.HasPrefix(part, estate+"-") })
		if of && (len(own) == 0 || slices.Contains(own, ns)) {
			all = append(all, overlay)
		}
	}
	if len(all) == 0 {
		t.Errorf("%s is a component for no overlay of %s in %v", path, service, own)
	}
	return all
}

// namespaces are those of the objects of a component.
func namespaces(t *testing.T, path string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		for _, doc := range documents(t, file) {
			if ns := object(doc).namespace(); ns != "" {
				all = append(all, ns)
			}
		}
	}
	return all
}
