package manifest

import (
	"slices"
	"strings"

	"github.com/slipway-go/slipway/render"
)

// Component is a directory with objects, a file for each, and the component of
// kustomize by which an overlay takes them in. Patches change what the overlay has
// already. A file is called by the kind of its object; the second of a kind by its
// name, too.
func Component(dir, head string, patches []Map, objects ...Map) []render.File {
	var files []render.File
	var names []string
	for i, o := range objects {
		kind := strings.ToLower(o.Get("kind").(string))
		name := kind + ".yaml"
		if slices.Contains(names, name) {
			name = kind + "-" + o.Get("metadata", "name").(string) + ".yaml"
		}
		names = append(names, name)
		if i > 0 {
			head = ""
		}
		files = append(files, File(dir+"/"+name, head, o))
	}
	slices.Sort(names)
	component := Map{
		E("apiVersion", "kustomize.config.k8s.io/v1alpha1"),
		E("kind", "Component"),
		E("resources", names),
		If(len(patches) > 0, E("patches", patches)),
	}
	return append(files, File(dir+"/kustomization.yaml", "An overlay takes this in under components.", component))
}
