package kubernetes_test

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/rendertest"
)

// A resident is a service in an environment as its golden tree has it, and what its
// contract and clusters.yaml declare of it.
type resident struct {
	tree     tree
	svc      *contract.Service
	resolved *contract.Resolved
	platform *contract.Platform

	pod       party
	policies  []policy
	addresses map[string]string // by the variable that tells the service of them
	out       []declared
}

// A declared peer is whom traffic may go to.
type declared struct {
	what     string
	peer     contract.Peer
	ports    []int
	protocol string
}

// residents are the services of all golden trees that a policy is rendered for.
func residents(t *testing.T) []*resident {
	t.Helper()
	estates := map[string]*contract.Estate{}
	for _, name := range rendertest.Estates() {
		estates[name] = rendertest.Estate(t, name)
	}
	var all []*resident
	for _, tr := range trees(t) {
		overlay := cmp.Or(tr.onto, tr.path)
		parts := strings.Split(filepath.ToSlash(overlay), "/") // …/estate/service/overlays/environment
		vault := tr.target == "credentials" && strings.Contains(tr.path, "vault")
		if n := len(parts); vault || tr.target == "kustomize" && tr.onto == "" && parts[n-2] == "overlays" {
			all = append(all, newResident(t, tr, estates[parts[n-4]], parts[n-3], parts[n-1], vault))
		}
	}
	if len(all) == 0 {
		t.Fatal("no golden tree has a policy")
	}
	return all
}

func newResident(t *testing.T, tr tree, estate *contract.Estate, service, env string, vault bool) *resident {
	t.Helper()
	resolved, problems := estate.In(env)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	r := &resident{tree: tr, svc: resolved.Service(service), resolved: resolved, platform: resolved.Clusters.Platform(env), addresses: map[string]string{}}
	objects := tr.built(t)
	r.policies = policies(t, objects)
	for _, o := range objects {
		if o.workload() {
			r.pod = party{namespace: o.namespace(), labels: o.texts("spec", "template", "metadata", "labels")}
		}
		if o.kind() == "ConfigMap" && strings.HasPrefix(o.name(), service+"-env") {
			for name, value := range o.texts("data") {
				if strings.HasSuffix(name, "BOOTSTRAP_SERVERS") || strings.Contains(value, "://") {
					r.addresses[name] = value
				}
			}
		}
	}
	if r.svc == nil || r.pod.namespace == "" || len(r.policies) == 0 || len(r.addresses) == 0 {
		t.Fatalf("%s has no service, no pod, no policy or no address", tr)
	}
	r.declare(vault)
	return r
}

// declare says whom the service may connect to, by its contract and clusters.yaml.
func (r *resident) declare(vault bool) {
	dns := contract.Peer{Namespace: "kube-system", Pods: map[string]*contract.Label{"k8s-app": {Value: "kube-dns"}}}
	r.out = []declared{{"DNS", dns, []int{53}, "UDP"}, {"DNS", dns, []int{53}, "TCP"}}
	home := r.resolved.ClusterName(contract.DefaultAlias)
	for _, alias := range r.svc.Clusters() {
		c := r.resolved.Cluster(r.resolved.ClusterName(alias))
		brokers, registry := &contract.Peer{CIDRs: c.CIDRs}, &contract.Peer{CIDRs: c.CIDRs}
		if c.Name == home {
			brokers, registry = cmp.Or(r.platform.Kafka, brokers), cmp.Or(r.platform.Registry, registry)
		}
		prefix := ""
		if alias != contract.DefaultAlias {
			prefix = "CLUSTERS_" + strings.ToUpper(strings.ReplaceAll(alias, "-", "_")) + "_"
		}
		r.to("brokers of "+alias, brokers, prefix+"BOOTSTRAP_SERVERS")
		r.to("registry of "+alias, registry, prefix+"SCHEMA_REGISTRY_URL")
	}
	if t := r.platform.Telemetry; t != nil {
		r.to("telemetry", &t.Peer, "OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if m := r.platform.Mesh; m != nil {
		r.out = append(r.out, declared{"mesh", contract.Peer{Namespace: m.Namespace, Pods: map[string]*contract.Label{"app": {Value: "istiod"}}}, []int{15012}, "TCP"})
	}
	if peer := r.platform.Credentials.Peer; vault && peer != nil {
		r.out = append(r.out, declared{"Vault", *peer, ports(peer, 8200), "TCP"})
	}
	for name, peer := range r.svc.Workload.Egress {
		r.out = append(r.out, declared{name, *peer, ports(peer), "TCP"})
	}
}

// to declares a peer with the ports that a variable names, if there is that variable.
func (r *resident) to(what string, peer *contract.Peer, variable string) {
	if value, found := r.addresses[variable]; found {
		r.out = append(r.out, declared{what + " in " + variable, *peer, ports(peer, named(value)...), "TCP"})
	}
}

// ports are those of a peer, or others if it has none.
func ports(peer *contract.Peer, otherwise ...int) []int {
	if len(peer.Ports) > 0 {
		return peer.Ports
	}
	return otherwise
}

// named are the ports in addresses with commas between them, or in an address of the web.
func named(value string) []int {
	var all []int
	for address := range strings.SplitSeq(value, ",") {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]))
		}
		_, text, _ := net.SplitHostPort(address)
		port, _ := strconv.Atoi(text) // 0 is in no policy
		all = append(all, port)
	}
	return all
}

// has reports whether a declared peer is a party, at a port.
func (d declared) has(own string, to party, protocol string, port int) bool {
	return d.protocol == protocol && (len(d.ports) == 0 || slices.Contains(d.ports, port)) && covers(&d.peer, own, to)
}

// covers reports whether a peer of a pod in a namespace is a party.
func covers(p *contract.Peer, own string, to party) bool {
	if to.namespace == "" {
		const credentials = "169.254.169.254" // of the node: never declared
		return to.address.String() != credentials && slices.ContainsFunc(p.CIDRs, func(c string) bool { return netip.MustParsePrefix(c).Contains(to.address) })
	}
	if p.Namespace == "" && len(p.Pods) == 0 || to.namespace != cmp.Or(p.Namespace, own) {
		return false
	}
	for name, label := range p.Pods {
		if to.labels[name] != label.Value {
			return false
		}
	}
	return true
}

// examples are parties that a declared peer has in any case.
func (d declared) examples(own string) []party {
	var all []party
	if d.peer.Namespace != "" || len(d.peer.Pods) > 0 {
		labels := map[string]string{"some": "other"}
		for name, label := range d.peer.Pods {
			labels[name] = label.Value
		}
		all = append(all, party{namespace: cmp.Or(d.peer.Namespace, own), labels: labels})
	}
	for _, cidr := range d.peer.CIDRs {
		first := netip.MustParsePrefix(cidr).Masked().Addr()
		all = append(all, party{address: first})
	}
	return all
}

// takes reports whether the service lets a party in at a port: monitoring to its
// metrics, and to what it serves those whom its contract names, or its namespace.
func (r *resident) takes(from party, protocol string, port int) bool {
	w := r.svc.Workload
	if from.namespace == "" || protocol != "TCP" {
		return false
	}
	if from.namespace == r.platform.Monitoring && port == cmp.Or(w.HTTP, 8081) {
		return true
	}
	if port == 0 || port != w.HTTP && port != w.GRPC {
		return false
	}
	if w.Access == nil || len(w.Access.Callers) == 0 {
		return from.namespace == r.pod.namespace
	}
	return slices.ContainsFunc(w.Access.Callers, func(caller string) bool {
		namespace, _, elsewhere := strings.Cut(caller, "/")
		return elsewhere && from.namespace == namespace ||
			!elsewhere && from.namespace == r.pod.namespace && from.labels["app.kubernetes.io/name"] == caller
	})
}

// strangers are whom nobody declares, and neighbours of those whom somebody does.
func (r *resident) strangers() []party {
	some := map[string]string{"app": "stranger"}
	all := []party{{namespace: "elsewhere", labels: some}, {namespace: r.pod.namespace, labels: some}, {namespace: "kube-system", labels: some}}
	for _, address := range []string{"203.0.113.9", "169.254.169.254", "10.96.0.1", "2001:db8:ffff::1", "2620:fe::fe"} {
		all = append(all, party{address: netip.MustParseAddr(address)})
	}
	for _, d := range r.out {
		for _, p := range d.examples(r.pod.namespace) {
			switch {
			case p.namespace != "":
				all = append(all, party{namespace: p.namespace, labels: some}, party{namespace: "elsewhere", labels: p.labels})
			default:
				all = append(all, party{address: p.address.Prev()})
			}
		}
	}
	return slices.DeleteFunc(all, func(p party) bool { return p.namespace == "" && !p.address.IsValid() }) // before 0.0.0.0 is nothing
}

// numbers are the ports that anybody declares, and some that nobody may.
func (r *resident) numbers() []int {
	all := []int{1, 22, 53, 80, 443, 8080, 8081, 9092, 65535}
	for _, d := range r.out {
		all = append(all, d.ports...)
	}
	all = append(all, r.svc.Workload.HTTP, r.svc.Workload.GRPC)
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(port int) bool { return port == 0 })
}

// texts returns a map of texts at a path of keys.
func (o object) texts(path ...string) map[string]string {
	m, _ := o.at(path...).(map[string]any)
	all := map[string]string{}
	for name := range maps.Keys(m) {
		all[name] = object(m).text(name)
	}
	return all
}
