package argocd

import (
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

const projectHead = `What Applications of this environment may do: deploy from one repository into
its namespaces, and nothing but the kinds that slipway renders. No Secret is among
them, because none is in the repository.`

const namespaceHead = `The namespace of the environment. Apply it before the services.`

// project bounds what can go wrong by a change of the repository.
func (t *tree) project() manifest.Map {
	destinations := []manifest.Map{t.destination(t.platform.Namespace)}
	if s := t.platform.Strimzi; s != nil && s.Namespace != t.platform.Namespace {
		destinations = append(destinations, t.destination(s.Namespace))
	}
	return manifest.Object("argoproj.io/v1alpha1", "AppProject", t.git.Project, t.git.Namespace, t.labels(t.git.Project),
		manifest.E("spec", manifest.Map{
			manifest.E("description", fmt.Sprintf("The services of environment %s.", t.r.Env)),
			t.of(manifest.E("sourceRepos", []string{t.git.Repository}), "repository"),
			manifest.E("destinations", destinations),
			manifest.E("clusterResourceWhitelist", []manifest.Map{{
				manifest.E("group", ""),
				manifest.E("kind", "Namespace"),
				manifest.E("name", t.platform.Namespace),
			}}).From("its own, and nothing else of the cluster"),
			manifest.E("namespaceResourceWhitelist", t.kinds()),
			manifest.E("orphanedResources", t.orphans()).From("tells of what is in the namespace and in no Application"),
		}))
}

// orphans are named, unless their kind may not be deployed, as Secrets may not, or the
// mesh puts them into every namespace.
func (t *tree) orphans() manifest.Map {
	m := manifest.Map{manifest.E("warn", true)}
	if t.platform.Mesh != nil {
		m = append(m, manifest.E("ignore", []manifest.Map{{manifest.E("kind", "ConfigMap"), manifest.E("name", "istio-ca-root-cert")}}).
			From("what the mesh puts into each namespace"))
	}
	return m
}

func (t *tree) destination(namespace string) manifest.Map {
	return manifest.Map{manifest.E("server", t.git.Server), manifest.E("namespace", namespace)}
}

// A kind is one of a group of Kubernetes' API.
type kind struct{ group, name string }

// base are the kinds that every service may have.
var base = []kind{
	{"", "ConfigMap"}, {"", "Service"}, {"", "ServiceAccount"},
	{"apps", "Deployment"}, {"apps", "StatefulSet"},
	{"networking.k8s.io", "NetworkPolicy"},
	{"policy", "PodDisruptionBudget"},
	{"monitoring.coreos.com", "PodMonitor"},
}

// kinds are those of the platform: what is not there cannot be deployed either.
func (t *tree) kinds() []manifest.Map {
	all := slices.Clone(base)
	if t.platform.Autoscaler == contract.HPA {
		all = append(all, kind{"autoscaling", "HorizontalPodAutoscaler"})
	} else {
		all = append(all, kind{"keda.sh", "ScaledObject"}, kind{"keda.sh", "TriggerAuthentication"})
	}
	switch t.platform.Credentials.From {
	case contract.FromCertManager:
		all = append(all, kind{"cert-manager.io", "Certificate"})
	case contract.FromExternalSecrets:
		all = append(all, kind{"external-secrets.io", "ExternalSecret"})
	}
	if t.platform.Mesh != nil {
		all = append(all, kind{"networking.istio.io", "DestinationRule"}, kind{"networking.istio.io", "VirtualService"},
			kind{"security.istio.io", "AuthorizationPolicy"}, kind{"security.istio.io", "PeerAuthentication"}, kind{"security.istio.io", "RequestAuthentication"})
	}
	if t.platform.Strimzi != nil {
		all = append(all, kind{"kafka.strimzi.io", "KafkaTopic"}, kind{"kafka.strimzi.io", "KafkaUser"})
	}
	var list []manifest.Map
	for _, k := range all {
		list = append(list, manifest.Map{manifest.E("group", k.group), manifest.E("kind", k.name)})
	}
	return list
}
