package argocd

import (
	"path"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// overlays is how a path ends that leads to the overlays that slipway renders. Any
// other leads to a team's own, which takes in what it wants by itself.
const overlays = "{service}/overlays/{environment}"

// root is where the rendered manifests are in the repository, if the path leads to
// them.
func (t *tree) root() (string, bool) {
	root, ok := strings.CutSuffix(strings.TrimSuffix(t.git.Path, "/"), overlays)
	return t.named(root, ""), ok
}

// named puts the names of a service and of the environment into a path.
func (t *tree) named(text, service string) string {
	return strings.NewReplacer("{service}", service, "{environment}", t.r.Env).Replace(text)
}

// components are what belongs to the overlay of a service beside it: what the other
// targets made, in the directories where docs/mesh-and-gitops.md has them rendered,
// as seen from the overlay.
func (t *tree) components(svc *contract.Service) []string {
	if _, ok := t.root(); !ok {
		return nil
	}
	var targets []string
	if t.scales[svc.Name].Moves() {
		targets = append(targets, "autoscaling")
	}
	switch t.platform.Credentials.From {
	case contract.FromCertManager:
		if svc.Auth == contract.MTLS {
			targets = append(targets, "certmanager")
		}
	case contract.FromExternalSecrets:
		targets = append(targets, "externalsecrets")
	case contract.FromVault:
		targets = append(targets, "vault")
	}
	if t.platform.Mesh != nil {
		targets = append(targets, "istio")
	}
	for i, target := range targets {
		targets[i] = path.Join("../../..", "_"+target, t.r.Env, svc.Name)
	}
	return targets
}

// namespace deploys the namespace, which no service owns: it is never removed, neither
// with a service nor by a mistake in the repository.
func (t *tree) namespace(root string) manifest.Map {
	a := manifest.Object("argoproj.io/v1alpha1", "Application", "namespace."+t.r.Env, t.git.Namespace, t.labels(t.platform.Namespace))
	spec := t.spec(root + "_namespace/" + t.r.Env)
	sync := policy()
	sync[0] = manifest.E("automated", manifest.Map{
		manifest.E("prune", false).From("all services are in it"),
		manifest.E("selfHeal", true),
		manifest.E("allowEmpty", false),
	})
	spec[len(spec)-1] = manifest.E("syncPolicy", sync)
	return append(a, manifest.E("spec", spec))
}
