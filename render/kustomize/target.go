package kustomize

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Target makes a base and overlays for every service that has a workload.
func Target() render.Target {
	return render.Target{Name: "kustomize", Summary: "Kubernetes: a kustomize base for each service, and an overlay for each environment", Render: files}
}

func files(in render.Input) ([]render.File, error) {
	t := &tree{written: in.Estate.Services}
	for _, svc := range in.Estate.Services {
		t.bases = append(t.bases, t.base(svc))
	}
	for _, env := range environments(in) {
		r, problems := in.Estate.In(env)
		if problems.Err() != nil {
			t.faults = append(t.faults, problems...)
			continue
		}
		t.environment(r)
	}
	if err := t.faults.Err(); err != nil {
		t.faults.Sort()
		return nil, t.faults
	}
	return t.files, nil
}

// environments are those that have overlays, sorted.
func environments(in render.Input) []string {
	all := map[string]bool{in.Environment: true}
	for env := range in.Estate.Clusters.Platforms {
		all[env] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// A tree collects the files, and what is wrong.
type tree struct {
	written []*contract.Service
	bases   []objects // of those that are written
	files   []render.File
	faults  diag.List
}

// base writes what the contract says as it is written.
func (t *tree) base(svc *contract.Service) objects {
	s := &site{svc: svc}
	all := s.objects()
	dir := svc.Name + "/base/"
	for _, o := range all {
		t.add(manifest.File(dir+o.file, s.head(o), o.body))
	}
	t.add(manifest.File(dir+kustomization, baseHead, kustomize("Kustomization",
		manifest.E("resources", all.names()))))
	if svc.Workload != nil {
		t.podMonitor(svc)
	}
	return all
}

const baseHead = `What is the same in every environment. It is not complete: overlays add where the
brokers are and who may connect.`

// environment writes the overlays of one environment.
func (t *tree) environment(r *contract.Resolved) {
	scales := manifest.Scales(r)
	platform := r.Clusters.Platform(r.Env)
	runs := false
	for i, svc := range r.Services {
		if svc.Workload == nil {
			continue
		}
		runs = true
		s := &site{svc: svc, env: &environment{Resolved: r, platform: platform, scale: scales[svc.Name], named: t.imageOf(i, svc)}}
		if faults := s.judge(); faults.Err() != nil {
			t.faults = append(t.faults, faults...)
			continue
		}
		t.overlay(s, t.bases[i])
	}
	if !runs {
		t.faults.Add(diag.New(diag.RenderRunsNowhere, "no service of the estate has a workload in environment %s", r.Env))
		return
	}
	t.namespace(r, platform)
}

// imageOf is the name that a service's base has for its image. A base without pods
// leaves it to the environment.
func (t *tree) imageOf(i int, svc *contract.Service) string {
	if written := t.written[i]; written.Workload != nil {
		svc = written
	}
	return (&site{svc: svc}).named()
}

func (t *tree) add(files ...render.File) { t.files = append(t.files, files...) }

const kustomization = "kustomization.yaml"

// kustomize is the beginning of a kustomization or a component.
func kustomize(kind string, more ...manifest.Entry) manifest.Map {
	version := "kustomize.config.k8s.io/v1beta1"
	if kind == "Component" {
		version = "kustomize.config.k8s.io/v1alpha1"
	}
	return append(manifest.Map{manifest.E("apiVersion", version), manifest.E("kind", kind)}, more...)
}
