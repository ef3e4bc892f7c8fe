package contract

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// Platform is where the services of an environment run: the entry of clusters.yaml,
// or the defaults. It is never nil.
func (c *Clusters) Platform(env string) *Platform {
	if p := c.Platforms[env]; p != nil {
		return p
	}
	p := &Platform{Environment: env}
	platformType().absent(&decoder{}, p)
	p.fill()
	return p
}

// fill sets what follows from other keys where it is absent.
func (p *Platform) fill() {
	if p.Namespace == "" {
		p.Namespace = p.Environment
	}
	if g := p.GitOps; g != nil && g.Project == "" {
		g.Project = p.Namespace
	}
}

// platforms judges the platform section.
func (f *clusterFaults) platforms() {
	for _, env := range slices.Sorted(maps.Keys(f.clusters.Platforms)) {
		p := f.clusters.Platforms[env]
		element := "platform/" + env
		if _, known := f.clusters.Environments[env]; !known {
			f.add(diag.ClusterEnvironment, element, "add the environment, or correct the name", "environment %s is not listed under environments", env)
		}
		p.fill()
		for name, peer := range map[string]*Peer{"kafka": p.Kafka, "registry": p.Registry} {
			if peer != nil {
				f.peer(element+"/"+name, peer)
			}
		}
		if t := p.Telemetry; t != nil {
			f.url(element+"/telemetry/endpoint", t.Endpoint)
			f.peer(element+"/telemetry/peer", &t.Peer)
		}
		f.credentials(element+"/credentials", p.Credentials)
		f.mesh(element+"/mesh", p.Mesh)
		f.gitOps(element+"/gitops", p.GitOps)
	}
}

func (f *clusterFaults) peer(element string, p *Peer) {
	if fault, fix := p.fault(); fault != "" {
		f.add(diag.PlatformPeer, element, fix, "%s", fault)
	}
}

// fault is what is wrong with a peer, and what to do.
func (p *Peer) fault() (fault, fix string) {
	if p.Namespace == "" && len(p.Pods) == 0 && len(p.CIDRs) == 0 {
		return "it says neither which pods nor which networks are meant", "add namespace, pods or cidrs"
	}
	for _, cidr := range p.CIDRs {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return cidr + " is not a network", "write a network such as 10.20.0.0/16"
		}
	}
	return "", ""
}

func (f *clusterFaults) credentials(element string, c Credentials) {
	for key, need := range map[string]struct {
		from  CredentialSource
		value string
	}{"issuer": {FromCertManager, c.Issuer}, "store": {FromExternalSecrets, c.Store}} {
		switch {
		case c.From == need.from && need.value == "":
			f.add(diag.PlatformIncomplete, element, "add "+key, "%s needs %s", need.from, key)
		case c.From != need.from && need.value != "":
			f.add(diag.PlatformIncomplete, element+"/"+key, "remove it, or write from: "+string(need.from), "%s is of %s, and credentials come from %s", key, need.from, c.From)
		}
	}
	if c.Bundle != "" && c.From != FromCertManager {
		f.add(diag.PlatformIncomplete, element+"/bundle", "remove it, or write from: cert-manager", "bundle is of cert-manager, and credentials come from %s", c.From)
	}
	if c.Peer != nil {
		f.peer(element+"/peer", c.Peer)
	}
}

func (f *clusterFaults) mesh(element string, m *Mesh) {
	if m == nil {
		return
	}
	if (m.Issuer == "") != (m.JWKS == "") {
		f.add(diag.PlatformIncomplete, element, "name both, or neither", "a token is judged by its issuer and the issuer's keys (jwks), and only one is there")
	}
	if m.JWKS != "" && !strings.HasPrefix(m.JWKS, "https://") {
		f.add(diag.ClusterEndpoint, element+"/jwks", "use https", "keys that come by %s can be replaced on their way", m.JWKS)
	}
}

// moving are revisions that name something else tomorrow.
var moving = []string{"HEAD", "main", "master", "develop", "trunk", "latest"}

func (f *clusterFaults) gitOps(element string, g *GitOps) {
	if g != nil && (slices.Contains(moving, g.Revision) || strings.HasPrefix(g.Revision, "refs/heads/")) {
		f.add(diag.PlatformIncomplete, element+"/revision", "name a tag or a commit", "%s is a branch, which moves without a decision", g.Revision)
	}
}

// traffic judges whom a service calls, and who calls it.
func (f *faults) traffic(w *Workload) {
	for _, name := range slices.Sorted(maps.Keys(w.Egress)) {
		p := w.Egress[name]
		element := "workload/egress/" + name
		if fault, fix := p.fault(); fault != "" {
			f.add(diag.PlatformPeer, element, fix, "%s", fault)
		} else if len(p.Ports) == 0 {
			f.add(diag.PlatformPeer, element, "add ports: [5432]", "no port is named")
		}
	}
	if w.Access != nil && w.HTTP == 0 && w.GRPC == 0 {
		f.add(diag.PlatformPeer, "workload/access", "add http or grpc, or remove access", "there is no port that anybody could call")
	}
}
