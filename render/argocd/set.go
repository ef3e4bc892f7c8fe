package argocd

import (
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

const setHead = `The Applications beside this directory, as one object: apply either it or them.
Both make the same, so that one can take the place of the other. A service that
leaves the estate keeps running until somebody deletes its Application.`

// patch is what differs by more than a name.
const patch = `{{- if or .components .controller }}
spec:
{{- if .components }}
  source:
    kustomize:
      components:
{{- range .components }}
      - '{{ . }}'
{{- end }}
{{- end }}
{{- if .controller }}
  ignoreDifferences:
  - group: apps
    kind: '{{ .controller }}'
    name: '{{ .service }}'
    jsonPointers:
    - /spec/replicas
{{- end }}
{{- end }}
`

// set makes an Application for each service of a list.
func (t *tree) set() manifest.Map {
	name := t.git.Project + "-" + t.r.Env
	var elements []manifest.Map
	for _, svc := range t.services {
		elements = append(elements, t.element(svc))
	}
	return manifest.Object("argoproj.io/v1alpha1", "ApplicationSet", name, t.git.Namespace, t.labels(name),
		manifest.E("spec", manifest.Map{
			manifest.E("goTemplate", true),
			manifest.E("goTemplateOptions", []string{"missingkey=error"}),
			manifest.E("generators", []manifest.Map{{manifest.E("list", manifest.Map{manifest.E("elements", elements)})}}),
			manifest.E("syncPolicy", manifest.Map{manifest.E("applicationsSync", "create-update")}).
				From("no Application is deleted because a line of this file is"),
			manifest.E("template", t.template()),
			manifest.E("templatePatch", patch),
		}))
}

func (t *tree) element(svc *contract.Service) manifest.Map {
	controller := ""
	if t.scales[svc.Name].Moves() {
		controller = manifest.Controller(svc)
	}
	return manifest.Map{
		manifest.E("service", svc.Name),
		manifest.E("owner", manifest.LabelValue(svc.Owner)).From("%s", manifest.At(svc, "metadata/owner")),
		manifest.E("path", t.path(svc.Name)),
		manifest.E("components", append([]string{}, t.components(svc)...)),
		manifest.E("controller", controller).From("whose number of replicas an autoscaler owns; none if empty"),
	}
}

// template is an Application with the fields of an element in place of its own.
func (t *tree) template() manifest.Map {
	spec := slices.Clone(t.spec("{{ .path }}"))
	return manifest.Map{
		manifest.E("metadata", manifest.Map{
			manifest.E("name", "{{ .service }}-"+t.r.Env),
			manifest.E("namespace", t.git.Namespace),
			manifest.E("labels", manifest.Map{
				manifest.E(manifest.NameLabel, "{{ .service }}"),
				manifest.E(manifest.ManagedByLabel, "slipway"),
				manifest.E(manifest.OwnerLabel, "{{ .owner }}"),
				manifest.E(manifest.EnvironmentLabel, t.r.Env),
			}),
			manifest.E("finalizers", []string{finalizer}),
		}),
		manifest.E("spec", spec),
	}
}
