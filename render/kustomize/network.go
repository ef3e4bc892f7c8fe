package kustomize

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

const (
	dnsPort   = 53
	istiodTLS = 15012

	namespaceName = "kubernetes.io/metadata.name" // what every namespace is labelled with by Kubernetes itself
)

const networkWhy = `What may connect to the service, and what it may connect to. All else is refused,
both ways. Probes come from the node and are let through by every network plugin.`

// network is the service's network policy.
func (s *site) network() object {
	return object{file: "networkpolicy.yaml", why: networkWhy, body: manifest.Object("networking.k8s.io/v1", "NetworkPolicy", s.svc.Name, "", s.labels(), manifest.E("spec", manifest.Map{
		manifest.E("podSelector", manifest.Map{manifest.E("matchLabels", manifest.Selector(s.svc))}),
		manifest.E("policyTypes", []string{"Ingress", "Egress"}).From("what no rule below names is refused"),
		manifest.E("ingress", s.ingress()),
		manifest.E("egress", s.egress()),
	}))}
}

// ingress is from whom: metrics by the monitoring, and ports by callers.
func (s *site) ingress() []manifest.Map {
	_, metrics := s.health()
	rules := []manifest.Map{rule("from", []manifest.Map{inNamespace(s.env.platform.Monitoring)}, s.platformAt("monitoring")+": scrapes /metrics", tcp(metrics))}
	w := s.svc.Workload
	var open []int
	for _, port := range []int{w.HTTP, w.GRPC} {
		if port != 0 {
			open = append(open, port)
		}
	}
	if open == nil {
		return rules
	}
	if w.Access == nil || len(w.Access.Callers) == 0 {
		return append(rules, rule("from", []manifest.Map{{manifest.E("podSelector", manifest.Map{})}}, s.at("workload/access/callers")+": every pod of the namespace", tcp(open...)))
	}
	return append(rules, rule("from", s.callers(), s.at("workload/access/callers"), tcp(open...)))
}

// callers are the pods of other services. A network policy knows no service
// accounts: of one in another namespace it lets the whole namespace through, and
// the mesh is who tells them apart.
func (s *site) callers() []manifest.Map {
	var all []manifest.Map
	for _, caller := range s.svc.Workload.Access.Callers {
		namespace, _, elsewhere := strings.Cut(caller, "/")
		if elsewhere {
			all = append(all, inNamespace(namespace))
			continue
		}
		all = append(all, manifest.Map{manifest.E("podSelector", manifest.Map{
			manifest.E("matchLabels", manifest.Map{manifest.E(manifest.NameLabel, caller)}),
		})})
	}
	return all
}

// egress is to whom: names, brokers, and what the service and its platform call.
func (s *site) egress() []manifest.Map {
	rules := []manifest.Map{rule("to", dns(), "DNS of the Kubernetes cluster", append(ports("UDP", dnsPort), tcp(dnsPort)...))}
	for _, c := range s.logins() {
		rules = append(rules, s.toCluster(c)...)
	}
	p := s.env.platform
	if t := p.Telemetry; t != nil {
		rules = append(rules, toPeer(&t.Peer, s.platformAt("telemetry/peer"), portOf(t.Endpoint)))
	}
	if m := p.Mesh; m != nil {
		rules = append(rules, toPeer(&contract.Peer{Namespace: m.Namespace, Pods: map[string]*contract.Label{"app": {Value: "istiod"}}}, s.platformAt("mesh/namespace")+": istiod, for the sidecar", istiodTLS))
	}
	w := s.svc.Workload
	for _, name := range slices.Sorted(maps.Keys(w.Egress)) {
		rules = append(rules, toPeer(w.Egress[name], s.at("workload/egress/"+name)))
	}
	return rules
}

func dns() []manifest.Map {
	return []manifest.Map{{
		manifest.E("namespaceSelector", manifest.Map{manifest.E("matchLabels", manifest.Map{manifest.E(namespaceName, "kube-system")})}),
		manifest.E("podSelector", manifest.Map{manifest.E("matchLabels", manifest.Map{manifest.E("k8s-app", "kube-dns")})}),
	}}
}

// toCluster leads to a Kafka cluster: to all of its brokers, not only those of the
// first addresses, and to its registry.
func (s *site) toCluster(c manifest.Connection) []manifest.Map {
	at := s.brokers(c)
	rules := []manifest.Map{toPeer(at.peer, at.from+": the brokers", brokerPorts(c.Bootstrap)...)}
	if c.Cluster.Registry != nil {
		at = s.registry(c)
		rules = append(rules, toPeer(at.peer, at.from+": the schema registry", portOf(c.Cluster.Registry.URL)))
	}
	return rules
}

// A location is where something is in the network, and what says so.
type location struct {
	peer *contract.Peer
	from string
}

func (s *site) brokers(c manifest.Connection) *location {
	return s.location(c, s.env.platform.Kafka, "kafka")
}

func (s *site) registry(c manifest.Connection) *location {
	return s.location(c, s.env.platform.Registry, "registry")
}

// location is where the platform says that a part of the default cluster is, or the
// networks of the cluster. It is nil if nothing says where.
func (s *site) location(c manifest.Connection, peer *contract.Peer, element string) *location {
	switch {
	case c.Home && peer != nil:
		return &location{peer, s.platformAt(element)}
	case len(c.Cluster.CIDRs) > 0:
		return &location{&contract.Peer{CIDRs: c.Cluster.CIDRs}, manifest.AtClusters(s.env.Clusters, "clusters/"+c.Cluster.Name+"/cidrs")}
	}
	return nil
}

// brokerPorts are the ports of addresses with commas between them, each once.
func brokerPorts(addresses string) []int {
	var all []int
	for address := range strings.SplitSeq(addresses, ",") {
		_, text, _ := net.SplitHostPort(strings.TrimSpace(address))
		if port, err := strconv.Atoi(text); err == nil {
			all = append(all, port)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// toPeer leads to a peer at its ports, or at others if it names none.
func toPeer(p *contract.Peer, from string, otherwise ...int) manifest.Map {
	open := otherwise
	if len(p.Ports) > 0 {
		open = slices.Sorted(slices.Values(p.Ports))
	}
	return rule("to", peers(p), from, tcp(open...))
}

// peers are the pods and networks of a peer.
func peers(p *contract.Peer) []manifest.Map {
	var all []manifest.Map
	if p.Namespace != "" || len(p.Pods) > 0 {
		var m manifest.Map
		if p.Namespace != "" {
			m = inNamespace(p.Namespace)
		}
		if len(p.Pods) > 0 {
			var labels manifest.Map
			for _, name := range slices.Sorted(maps.Keys(p.Pods)) {
				labels = append(labels, manifest.E(name, p.Pods[name].Value))
			}
			m = append(m, manifest.E("podSelector", manifest.Map{manifest.E("matchLabels", labels)}))
		}
		all = append(all, m)
	}
	for _, cidr := range p.CIDRs {
		all = append(all, manifest.Map{manifest.E("ipBlock", block(cidr))})
	}
	return all
}

// block is a network, without the address at which clouds hand out the node's own
// credentials.
func block(cidr string) manifest.Map {
	const metadata = "169.254.169.254"
	m := manifest.Map{manifest.E("cidr", cidr)}
	if network, err := netip.ParsePrefix(cidr); err == nil && network.Bits() < network.Addr().BitLen() && network.Contains(netip.MustParseAddr(metadata)) {
		m = append(m, manifest.E("except", []string{metadata + "/32"}).From("the node's own credentials"))
	}
	return m
}

func inNamespace(name string) manifest.Map {
	return manifest.Map{manifest.E("namespaceSelector", manifest.Map{manifest.E("matchLabels", manifest.Map{manifest.E(namespaceName, name)})})}
}

func rule(direction string, who []manifest.Map, from string, open []manifest.Map) manifest.Map {
	return manifest.Map{manifest.E(direction, who).From("%s", from), manifest.If(len(open) > 0, manifest.E("ports", open))}
}

func tcp(numbers ...int) []manifest.Map { return ports("TCP", numbers...) }

func ports(protocol string, numbers ...int) []manifest.Map {
	var all []manifest.Map
	for _, n := range numbers {
		all = append(all, manifest.Map{manifest.E("protocol", protocol), manifest.E("port", n)})
	}
	return all
}
