package kustomize

import (
	"fmt"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

func (s *site) labels() manifest.Map { return manifest.Labels(s.svc) }

func (s *site) selector() manifest.Entry {
	return manifest.E("selector", manifest.Map{manifest.E("matchLabels", manifest.Selector(s.svc))})
}

// account is the name by which the mesh and Vault know the service.
func (s *site) account() object {
	return object{file: "serviceaccount.yaml", why: "The name that callers and the mesh know it by. Nothing in the pod speaks to the API\nserver, so there is no token, no Role and no RoleBinding.",
		body: manifest.Object("v1", "ServiceAccount", s.svc.Name, "", s.labels(), manifest.E("automountServiceAccountToken", false))}
}

// service is what others connect to, whatever runs the pods. Its address never changes:
// a service that is given a disk in one environment, or loses it, keeps its callers.
func (s *site) service() object {
	return object{file: "service.yaml", why: "What others connect to.", body: manifest.Object("v1", "Service", s.svc.Name, "", s.labels(), manifest.E("spec", manifest.Map{
		manifest.E("selector", manifest.Selector(s.svc)),
		manifest.E("ports", s.servicePorts()),
	}))}
}

const instancesWhy = `Where the instances get their names from, such as %[1]s-0.%[1]s-instances. Callers do
not connect here: it has no address of its own, which would spread them.`

// instances is the headless Service that a StatefulSet names its pods by.
func (s *site) instances() object {
	ports := s.servicePorts()
	if ports == nil {
		name, port := s.health()
		ports = []manifest.Map{servicePort(name, port, "")}
	}
	why := fmt.Sprintf(instancesWhy, s.svc.Name)
	return object{file: "service-instances.yaml", why: why, body: manifest.Object("v1", "Service", instances(s.svc), "", s.labels(), manifest.E("spec", manifest.Map{
		manifest.E("clusterIP", "None"),
		manifest.E("selector", manifest.Selector(s.svc)),
		manifest.E("ports", ports),
	}))}
}

// instances is what the Service of a service's instances is called. No name of a
// service is so long that it would not fit.
func instances(svc *contract.Service) string { return svc.Name + "-instances" }

func (s *site) servicePorts() []manifest.Map {
	var ports []manifest.Map
	if port := s.svc.Workload.HTTP; port != 0 {
		ports = append(ports, servicePort("http", port, s.at("workload/http")))
	}
	if port := s.svc.Workload.GRPC; port != 0 {
		ports = append(ports, servicePort("grpc", port, s.at("workload/grpc")))
	}
	return ports
}

// servicePort leads to the container's port of the same name. Its number is the
// same, so that a client finds it without or through the Service.
func servicePort(name string, port int, from string) manifest.Map {
	protocol := name
	if name == "health" {
		protocol = "http"
	}
	return manifest.Map{
		manifest.E("name", name),
		manifest.E("port", port).From("%s", from),
		manifest.E("targetPort", name),
		manifest.E("appProtocol", protocol),
	}
}

const budgetWhy = `One pod at a time may be taken away on purpose, however many there are: each one that
goes moves partitions. A single instance may be taken away too, or no node could ever
be drained; it is started elsewhere.`

func (s *site) budget() object {
	return object{file: "poddisruptionbudget.yaml", why: budgetWhy, body: manifest.Object("policy/v1", "PodDisruptionBudget", s.svc.Name, "", s.labels(), manifest.E("spec", manifest.Map{
		manifest.E("maxUnavailable", 1),
		manifest.E("unhealthyPodEvictionPolicy", "AlwaysAllow").From("a pod that is not ready keeps no node from being drained"),
		s.selector(),
	}))}
}

const namespaceWhy = `The namespace of the services of one environment. It belongs to none of them: whoever
applies a service does not take it away with the service.`

// meshWhy is beside the rule of the namespace that Istio would break.
const meshWhy = "nothing that is rendered needs more. Nor does Istio's sidecar with Istio CNI; without it Istio adds a container that may change the pod's network, and every pod is refused"

// namespace is the one that the services of an environment share.
func (t *tree) namespace(r *contract.Resolved, p *contract.Platform) {
	dir, restricted := "_namespace/"+r.Env+"/", "nothing that is rendered needs more"
	if p.Mesh != nil {
		restricted = meshWhy
	}
	t.add(manifest.File(dir+"namespace.yaml", namespaceWhy, manifest.Map{
		manifest.E("apiVersion", "v1"), manifest.E("kind", "Namespace"),
		manifest.E("metadata", manifest.Map{
			manifest.E("name", p.Namespace).From("%s", manifest.AtClusters(r.Clusters, "platform/"+r.Env+"/namespace")),
			manifest.E("labels", manifest.Map{
				manifest.E(manifest.ManagedByLabel, "slipway"),
				manifest.E(manifest.OwnerLabel, "platform").From("whoever keeps clusters.yaml"),
				manifest.E(manifest.EnvironmentLabel, r.Env),
				manifest.E("pod-security.kubernetes.io/enforce", "restricted").From("%s", restricted),
				manifest.E("pod-security.kubernetes.io/warn", "restricted"),
			}),
		}),
	}), manifest.File(dir+kustomization, "", kustomize("Kustomization", manifest.E("resources", []string{"namespace.yaml"}))))
}

const monitorWhy = `For those who have the Prometheus operator: an overlay of your own takes this in
under components, and says the namespace of the service (namespace: …), which this
does not know. Others scrape the pods' port of the same name, and relabel likewise:
rendered rules and dashboards know a series by its service and environment.`

// The labels of a pod, as Prometheus sees them, and those that rules and dashboards
// select by.
var monitored = []manifest.Map{
	relabeled("__meta_kubernetes_pod_label_app_kubernetes_io_name", "service"),
	relabeled("__meta_kubernetes_pod_label_slipway_dev_environment", "environment"),
}

// relabeled has Prometheus set a label of what it scrapes from another one. The action
// is the default one: written, because the API server writes it, too.
func relabeled(from, to string) manifest.Map {
	return manifest.Map{manifest.E("action", "replace"), manifest.E("sourceLabels", []string{from}), manifest.E("targetLabel", to)}
}

// podMonitor has Prometheus scrape the pods, also those that no Service leads to.
func (t *tree) podMonitor(svc *contract.Service) {
	s := &site{svc: svc}
	port, _ := s.health()
	dir := svc.Name + "/components/podmonitor/"
	t.add(manifest.File(dir+"podmonitor.yaml", monitorWhy, manifest.Object("monitoring.coreos.com/v1", "PodMonitor", svc.Name, "", s.labels(), manifest.E("spec", manifest.Map{
		s.selector(),
		manifest.E("podMetricsEndpoints", []manifest.Map{{
			manifest.E("port", port), manifest.E("path", "/metrics"), manifest.E("interval", "15s"), manifest.E("relabelings", monitored),
		}}),
	}))), manifest.File(dir+kustomization, monitorWhy, kustomize("Component", manifest.E("resources", []string{"podmonitor.yaml"}))))
}
