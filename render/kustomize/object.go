package kustomize

import (
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

// service is what others connect to.
func (s *site) service() object {
	w := s.svc.Workload
	var ports []manifest.Map
	if w.HTTP != 0 {
		ports = append(ports, servicePort("http", w.HTTP, s.at("workload/http")))
	}
	if w.GRPC != 0 {
		ports = append(ports, servicePort("grpc", w.GRPC, s.at("workload/grpc")))
	}
	why := "What others connect to."
	if s.stateful() {
		why = "What others connect to: without an address of its own, so that each instance has a name."
	}
	if ports == nil {
		name, port := s.health()
		ports = append(ports, servicePort(name, port, ""))
		why = "The names of the instances. Nobody connects to them."
	}
	return object{file: "service.yaml", why: why, body: manifest.Object("v1", "Service", s.svc.Name, "", s.labels(), manifest.E("spec", manifest.Map{
		manifest.If(s.stateful(), manifest.E("clusterIP", "None")),
		manifest.E("selector", manifest.Selector(s.svc)),
		manifest.E("ports", ports),
	}))}
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

// namespace is the one that the services of an environment share.
func (t *tree) namespace(r *contract.Resolved, p *contract.Platform) {
	dir := "_namespace/" + r.Env + "/"
	t.add(manifest.File(dir+"namespace.yaml", namespaceWhy, manifest.Map{
		manifest.E("apiVersion", "v1"), manifest.E("kind", "Namespace"),
		manifest.E("metadata", manifest.Map{
			manifest.E("name", p.Namespace).From("%s", manifest.AtClusters(r.Clusters, "platform/"+r.Env+"/namespace")),
			manifest.E("labels", manifest.Map{
				manifest.E(manifest.ManagedByLabel, "slipway"),
				manifest.E(manifest.EnvironmentLabel, r.Env),
				manifest.E("pod-security.kubernetes.io/enforce", "restricted").From("nothing that is rendered needs more"),
				manifest.E("pod-security.kubernetes.io/warn", "restricted"),
			}),
		}),
	}), manifest.File(dir+kustomization, "", kustomize("Kustomization", manifest.E("resources", []string{"namespace.yaml"}))))
}

const monitorWhy = `For those who have the Prometheus operator: an overlay of your own takes this in
under components, and says the namespace of the service (namespace: …), which this
does not know. Others scrape the pods' port of the same name.`

// podMonitor has Prometheus scrape the pods, also those that no Service leads to.
func (t *tree) podMonitor(svc *contract.Service) {
	s := &site{svc: svc}
	port, _ := s.health()
	dir := svc.Name + "/components/podmonitor/"
	t.add(manifest.File(dir+"podmonitor.yaml", monitorWhy, manifest.Object("monitoring.coreos.com/v1", "PodMonitor", svc.Name, "", s.labels(), manifest.E("spec", manifest.Map{
		s.selector(),
		manifest.E("podMetricsEndpoints", []manifest.Map{{manifest.E("port", port), manifest.E("path", "/metrics"), manifest.E("interval", "15s")}}),
	}))), manifest.File(dir+kustomization, monitorWhy, kustomize("Component", manifest.E("resources", []string{"podmonitor.yaml"}))))
}
