package argocd

import (
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// finalizer makes Argo CD remove what it has deployed when an Application is deleted.
const finalizer = "resources-finalizer.argocd.argoproj.io/foreground"

// application deploys a service's overlay.
func (t *tree) application(svc *contract.Service) manifest.Map {
	a := manifest.Object("argoproj.io/v1alpha1", "Application", svc.Name+"-"+t.r.Env, t.git.Namespace,
		append(manifest.Labels(svc), manifest.E(manifest.EnvironmentLabel, t.r.Env)))
	a[2].Value = append(a[2].Value.(manifest.Map), manifest.E("finalizers", []string{finalizer}))
	spec := t.spec(t.path(svc.Name))
	if components := t.components(svc); len(components) > 0 {
		source := spec.Get("source").(manifest.Map)
		spec[1].Value = append(source, manifest.E("kustomize", manifest.Map{
			manifest.E("components", components).From("what other targets rendered for the service"),
		}))
	}
	if t.scales[svc.Name].Moves() {
		spec = append(spec, ignored(manifest.Controller(svc), svc.Name).
			From("its autoscaler decides how many there are; whatever else differs is put right"))
	}
	return append(a, manifest.E("spec", spec))
}

// spec is what all Applications have in common, with the path of the overlay.
func (t *tree) spec(path string) manifest.Map {
	return manifest.Map{
		t.of(manifest.E("project", t.git.Project), "project"),
		manifest.E("source", manifest.Map{
			t.of(manifest.E("repoURL", t.git.Repository), "repository"),
			t.of(manifest.E("targetRevision", t.git.Revision), "revision"),
			t.of(manifest.E("path", path), "path"),
		}),
		manifest.E("destination", manifest.Map{
			t.of(manifest.E("server", t.git.Server), "server"),
			manifest.E("namespace", t.platform.Namespace).From("%s", manifest.AtClusters(t.r.Clusters, "platform/"+t.r.Env+"/namespace")),
		}),
		manifest.E("syncPolicy", policy()),
	}
}

// policy keeps the cluster as the repository says.
func policy() manifest.Map {
	return manifest.Map{
		manifest.E("automated", manifest.Map{
			manifest.E("prune", true),
			manifest.E("selfHeal", true),
			manifest.E("allowEmpty", false).From("a path that suddenly holds nothing is a mistake"),
		}),
		manifest.E("syncOptions", []string{
			"ApplyOutOfSyncOnly=true",
			"PruneLast=true",
			"RespectIgnoreDifferences=true",
		}).From("not CreateNamespace: the namespace is a manifest, with labels that a created one lacks"),
		manifest.E("retry", manifest.Map{
			manifest.E("limit", 3),
			manifest.E("backoff", manifest.Map{
				manifest.E("duration", "5s"),
				manifest.E("factor", 2),
				manifest.E("maxDuration", "3m"),
			}),
		}),
	}
}

// ignored is the one field that is not the repository's.
func ignored(kind, name string) manifest.Entry {
	return manifest.E("ignoreDifferences", []manifest.Map{{
		manifest.E("group", "apps"),
		manifest.E("kind", kind),
		manifest.E("name", name),
		manifest.E("jsonPointers", []string{"/spec/replicas"}),
	}})
}
