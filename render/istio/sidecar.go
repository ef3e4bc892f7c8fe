package istio

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

const sidecarHead = `The sidecar is there before the service starts. Connections to Kafka pass it by:
they have TLS of their own, from the service to the broker, and a broker has to see
whose certificate it is.`

// sidecar is the patch of the pods.
func (w *workload) sidecar() manifest.Map {
	kind, ports := manifest.Controller(w.svc), w.kafkaPorts()
	patch := manifest.Map{
		manifest.E("apiVersion", "apps/v1"),
		manifest.E("kind", kind),
		manifest.E("metadata", manifest.Map{manifest.E("name", w.svc.Name)}),
		manifest.E("spec", manifest.Map{manifest.E("template", manifest.Map{manifest.E("metadata", manifest.Map{
			manifest.E("labels", manifest.Map{manifest.E("sidecar.istio.io/inject", "true")}),
			manifest.E("annotations", manifest.Map{
				manifest.E("proxy.istio.io/config", "holdApplicationUntilProxyStarts: true"),
				manifest.If(len(ports) > 0, manifest.E("traffic.sidecar.istio.io/excludeOutboundPorts", strings.Join(ports, ",")).From("of the brokers")),
			}),
		})})}),
	}
	return manifest.Map{
		manifest.E("target", manifest.Map{manifest.E("kind", kind), manifest.E("name", w.svc.Name)}),
		manifest.E("patch", string(manifest.YAML(sidecarHead, patch))),
	}
}

// kafkaPorts are those of the brokers that the service uses: of the addresses that
// it begins with, and of those that the platform says they have beside.
func (w *workload) kafkaPorts() []string {
	ports := make(map[int]bool)
	for _, name := range w.clusters() {
		address := manifest.Bootstrap(w.r, w.svc, name)
		if address == "" {
			w.faults.Add(diag.New(diag.RenderAddress, "%s uses cluster %s, which has no address for %s, in environment %s", w.svc.Name, name, w.svc.AuthOn(name), w.r.Env).
				At(w.r.Clusters.Position("clusters", name, "bootstrap")))
		}
		for host := range strings.SplitSeq(address, ",") {
			_, port, _ := net.SplitHostPort(strings.TrimSpace(host))
			if n, err := strconv.Atoi(port); err == nil {
				ports[n] = true
			}
		}
	}
	if peer := w.platform.Kafka; peer != nil {
		for _, n := range peer.Ports {
			ports[n] = true
		}
	}
	var all []string
	for _, n := range slices.Sorted(maps.Keys(ports)) {
		all = append(all, strconv.Itoa(n))
	}
	return all
}

// clusters are those that the service uses, by their names in clusters.yaml.
func (w *workload) clusters() []string {
	names := make(map[string]bool)
	for _, c := range w.svc.Consumes {
		names[w.r.ClusterName(c.Cluster)] = true
	}
	for _, p := range w.svc.Produces {
		names[w.r.ClusterName(p.Cluster)] = true
	}
	return slices.Sorted(maps.Keys(names))
}
