package istio

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

const sidecarHead = `The sidecar is there before the service starts, and until it has ended: as a native
sidecar, which Kubernetes itself keeps in this order. Where Istio cannot make it one
(before 1.24), it waits to start the service, and goes once no connection is open.
Connections to Kafka pass it by: they have TLS of their own, from the service to the
broker, and a broker has to see whose certificate it is.

Istio CNI has to be installed. Without it Istio adds a container that may change the
pod's network, and the namespace's Pod Security (restricted) refuses such a pod.`

// proxyConfig is for sidecars that are not native: started by Istio before the
// service, and told to stop at the same moment, after which they would go on for five
// seconds.
const proxyConfig = `holdApplicationUntilProxyStarts: true
proxyMetadata: {EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true"}
`

// sidecar is the patch of the pods.
func (w *workload) sidecar() manifest.Map {
	kind := manifest.Controller(w.svc)
	patch := manifest.Map{
		manifest.E("apiVersion", "apps/v1"),
		manifest.E("kind", kind),
		manifest.E("metadata", manifest.Map{manifest.E("name", w.svc.Name)}),
		manifest.E("spec", manifest.Map{manifest.E("template", manifest.Map{manifest.E("metadata", manifest.Map{
			manifest.E("labels", manifest.Map{manifest.E("sidecar.istio.io/inject", "true")}),
			manifest.E("annotations", manifest.Map{
				manifest.E("sidecar.istio.io/nativeSidecar", "true"),
				manifest.E("proxy.istio.io/config", proxyConfig).From("for sidecars that are not native"),
				w.bypassing(),
			}),
		})})}),
	}
	return manifest.Map{
		manifest.E("target", manifest.Map{manifest.E("kind", kind), manifest.E("name", w.svc.Name)}),
		manifest.E("patch", string(manifest.YAML(sidecarHead, patch))),
	}
}

// bypassing says which connections pass the sidecar by.
func (w *workload) bypassing() manifest.Entry {
	all, whose := w.kafkaPorts(), "of the brokers"
	if w.platform.Credentials.From == contract.FromVault {
		for _, n := range manifest.VaultPorts(w.platform.Credentials.Peer) {
			all[n] = true
		}
		whose += ", and of Vault, whose agent asks it before there is a sidecar"
	}
	var ports []string
	for _, n := range slices.Sorted(maps.Keys(all)) {
		ports = append(ports, strconv.Itoa(n))
	}
	return manifest.If(len(ports) > 0, manifest.E("traffic.sidecar.istio.io/excludeOutboundPorts", strings.Join(ports, ",")).From("%s", whose))
}

// kafkaPorts are those of the brokers of every cluster that the service uses: of the
// addresses that it begins with, and of those that the platform says the default
// cluster's have beside.
func (w *workload) kafkaPorts() map[int]bool {
	ports := make(map[int]bool)
	for _, c := range manifest.Logins(w.r, w.svc) {
		if c.Bootstrap == "" {
			w.faults.Add(diag.New(diag.RenderAddress, "%s uses cluster %s, which has no address for %s, in environment %s", w.svc.Name, cmp.Or(c.Cluster.Name, "of alias "+c.Alias), w.svc.AuthOn(c.Cluster.Name), w.r.Env).
				At(w.r.Clusters.Position("clusters", c.Cluster.Name, "bootstrap")))
		}
		for host := range strings.SplitSeq(c.Bootstrap, ",") {
			_, port, _ := net.SplitHostPort(strings.TrimSpace(host))
			if n, err := strconv.Atoi(port); err == nil {
				ports[n] = true
			}
		}
		if peer := w.platform.Kafka; peer != nil && c.Home {
			for _, n := range peer.Ports {
				ports[n] = true
			}
		}
	}
	return ports
}
