package argocd

import (
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Target makes what Argo CD deploys the services of an environment by: an
// AppProject, an Application per service, and an ApplicationSet that makes the same
// Applications by itself.
func Target() render.Target {
	return render.Target{Name: "argocd", Summary: "Argo CD: an AppProject, an Application per service, and an ApplicationSet in their place", Render: files}
}

func files(in render.Input) ([]render.File, error) {
	r, err := in.Resolve()
	if err != nil {
		return nil, err
	}
	t := &tree{r: r, platform: r.Clusters.Platform(r.Env), scales: manifest.Scales(r)}
	t.git = t.platform.GitOps
	if t.git == nil {
		return nil, diag.New(diag.RenderNoGitOps, "environment %s has no repository to deploy from: platform.%s.gitops is missing", r.Env, r.Env).
			At(r.Clusters.Position("platform", r.Env)).
			WithFix("write platform: {%s: {gitops: {repository: \"https://git.example.com/shop/deploy.git\", revision: v1.4.0}}} in %s, with a tag or commit as revision", r.Env, contract.ClustersFile)
	}
	for _, svc := range r.Services {
		if svc.Workload != nil {
			t.services = append(t.services, svc)
		}
	}
	if len(t.services) > 1 && !strings.Contains(t.git.Path, "{service}") {
		return nil, diag.New(diag.RenderNoGitOps, "all services of environment %s would be deployed from %s: the path does not say {service}", r.Env, t.git.Path).
			At(r.Clusters.Position("platform", r.Env, "gitops", "path")).WithFix("write a path such as deploy/%s", overlays)
	}
	if len(t.services) == 0 {
		return nil, diag.New(diag.RenderRunsNowhere, "no service has a workload, in environment %s", r.Env).
			At(r.Clusters.Position("platform", r.Env))
	}
	all := []render.File{
		manifest.File("appproject.yaml", projectHead, t.project()),
		manifest.File("applicationset/applicationset.yaml", setHead, t.set()),
	}
	if root, ok := t.root(); ok {
		all = append(all, manifest.File("namespace.yaml", namespaceHead, t.namespace(root)))
	}
	for _, svc := range t.services {
		all = append(all, manifest.File("applications/"+svc.Name+".yaml", "", t.application(svc)))
	}
	return all, nil
}

// A tree is what follows for one environment.
type tree struct {
	r        *contract.Resolved
	platform *contract.Platform
	git      *contract.GitOps
	scales   map[string]manifest.Scale
	services []*contract.Service // that run there, sorted by name
}

// path is where the overlay of a service is in the repository.
func (t *tree) path(service string) string { return t.named(t.git.Path, service) }

// of says where a value of gitops came from.
func (t *tree) of(e manifest.Entry, key string) manifest.Entry {
	return e.From("%s", manifest.AtClusters(t.r.Clusters, "platform/"+t.r.Env+"/gitops/"+key))
}

// labels are those of what belongs to all services.
func (t *tree) labels(name string) manifest.Map {
	return manifest.Map{
		manifest.E(manifest.NameLabel, name),
		manifest.E(manifest.ManagedByLabel, "slipway"),
		manifest.E(manifest.OwnerLabel, "platform"),
		manifest.E(manifest.EnvironmentLabel, t.r.Env),
	}
}
