package kustomize

import (
	"fmt"
	"path"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

const overlayHead = `%[1]s, of %[3]s, in %[2]s.
Rendered by slipway render kustomize from %[4]s and clusters.yaml; the next
rendering refuses to write over edits. What no contract says is for an overlay of
the team's own, in %[1]s/%[2]s/kustomization.yaml, say:

  resources: [../overlays/%[2]s]
  patches: [{path: patch.yaml}]`

// overlay writes what differs in the environment from the base.
func (t *tree) overlay(s *site, base objects) {
	dir := s.svc.Name + "/overlays/" + s.env.Env + "/"
	resources, patches := []string{"../../base"}, []string(nil)
	all := s.objects()
	for _, o := range all {
		known := base.find(o)
		if known == nil {
			resources = append(resources, o.file)
			t.add(manifest.File(dir+o.file, s.head(o), o.body))
			continue
		}
		if differs := patch(known.body, o.body); differs != nil {
			name := "patch-" + o.file
			patches = append(patches, name)
			t.add(manifest.File(dir+name, fmt.Sprintf("What %s changes of %s.", s.env.Env, path.Join("base", o.file)), differs))
		}
	}
	for _, o := range base {
		if all.find(o) == nil {
			name := "remove-" + o.file
			patches = append(patches, name)
			t.add(manifest.File(dir+name, fmt.Sprintf("%s needs none: %s.", s.env.Env, s.instead(o)), removal(o.body)))
		}
	}
	config := s.config(dir)
	t.add(s.variables(dir))
	t.add(config...)
	t.add(manifest.File(dir+kustomization, fmt.Sprintf(overlayHead, s.svc.Name, s.env.Env, s.svc.Owner, path.Base(s.svc.File())), kustomize("Kustomization",
		manifest.E("namespace", s.env.platform.Namespace).From("%s", s.platformAt("namespace")),
		manifest.E("labels", []manifest.Map{{manifest.E("pairs", manifest.Map{manifest.E(manifest.EnvironmentLabel, s.env.Env)})}}),
		manifest.E("resources", resources),
		s.generators(dir, config),
		s.images(),
		s.replicas(),
		s.patches(patches),
	)))
}

// instead says why an object of the base is not in the overlay.
func (s *site) instead(o object) string {
	switch {
	case o.kind() == "Deployment":
		return "a StatefulSet is instead of it, " + s.why()
	case o.kind() == "StatefulSet":
		return "instances keep nothing, and a Deployment is instead of it"
	case o.name() == instances(s.svc):
		return "the pods of a Deployment have no names of their own"
	default:
		return "there is no port to connect to"
	}
}

// generators make the ConfigMaps.
func (s *site) generators(dir string, config []render.File) manifest.Entry {
	var names []string
	for _, f := range config {
		names = append(names, strings.TrimPrefix(f.Path, dir))
	}
	labels := manifest.E("labels", s.labels())
	options := manifest.Map{labels}
	from := "a change of the files gives it a new name, and pods are replaced"
	if s.env.platform.Reload == contract.ReloadLive {
		options = manifest.Map{manifest.E("disableNameSuffixHash", true), labels}
		from = "a change of the files reaches the pods that run, within a minute"
	}
	return manifest.E("configMapGenerator", []manifest.Map{
		{
			manifest.E("name", s.svc.Name+"-env"),
			manifest.E("envs", []string{variablesFile}),
			manifest.E("options", manifest.Map{labels}),
		},
		{
			manifest.E("name", s.svc.Name+"-config").From("%s: %s", s.platformAt("reload"), from),
			manifest.E("files", names),
			manifest.E("options", options),
		},
	})
}

// images say which image it is.
func (s *site) images() manifest.Entry {
	base, img := s.named(), s.image()
	m := manifest.Map{manifest.E("name", base)}
	if img.name != base {
		m = append(m, manifest.E("newName", img.name).From("%s", s.at("workload/image")))
	}
	if img.tag != "" {
		m = append(m, manifest.E("newTag", img.tag).From("%s", s.at("workload/image")))
	}
	if img.digest != "" {
		m = append(m, manifest.E("digest", img.digest).From("%s", s.at("workload/image")))
	}
	return manifest.If(len(m) > 1, manifest.E("images", []manifest.Map{m}))
}

// replicas is how many pods there are, unless an autoscaler decides that.
func (s *site) replicas() manifest.Entry {
	if s.env.scale.Moves() {
		return manifest.Entry{}
	}
	return manifest.E("replicas", []manifest.Map{{
		manifest.E("name", s.svc.Name),
		manifest.E("count", max(1, s.env.scale.Min)).From("%s", s.at("workload/scale")),
	}})
}

func (s *site) patches(names []string) manifest.Entry {
	var all []manifest.Map
	for _, name := range names {
		all = append(all, manifest.Map{manifest.E("path", name)})
	}
	return manifest.If(len(all) > 0, manifest.E("patches", all))
}
