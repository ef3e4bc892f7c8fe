package depot

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/pki"
)

// A Want is a leaf that there should be. It says all that a certificate is made
// from, here or by another issuer.
type Want struct {
	ID

	// Request is what the certificate says. Now is the depot's clock, whatever
	// is set here.
	Request pki.Request

	// Why says what calls for the leaf: the contract or the node.
	Why string

	// Again has a leaf issued whose holder was said to be gone, by a revocation
	// with [Ceased]: it was not forgotten that the holder is to have none.
	Again bool
}

// Derive returns the leaves that an estate calls for on a cluster, sorted: one
// for each of its nodes, and in each environment one for the people who operate
// it, one for each service that comes to the cluster with mTLS, and one for the
// work on its dead letters. Without environments it is all that are bound to
// the cluster.
//
// A broker's leaf names the node's hosts and those of the bootstrap addresses
// that are no single node's: clients dial a load balancer or a round-robin name
// and must find it in whichever broker answers.
func Derive(estate *contract.Estate, cluster string, environments ...string) ([]Want, error) {
	if len(environments) == 0 {
		environments = bound(estate.Clusters, cluster)
	}
	entry := estate.Clusters.Clusters[cluster]
	if entry == nil && len(environments) == 0 {
		return nil, diag.New(diag.ClusterUnknown, "cluster %s is not in %s", cluster, contract.ClustersFile).
			WithEvidence("there are %s", strings.Join(slices.Sorted(maps.Keys(estate.Clusters.Clusters)), ", "))
	}
	var d derivation
	if entry != nil {
		d.pki = entry.PKI
		d.nodes(entry)
	}
	for _, env := range environments {
		r, faults := estate.In(env)
		if err := faults.Err(); err != nil {
			return nil, err
		}
		d.environment(r, cluster)
	}
	slices.SortFunc(d.wants, func(a, b Want) int { return a.ID.compare(b.ID) })
	return d.wants, nil
}

// bound are the environments that have an alias for a cluster, sorted.
func bound(c *contract.Clusters, cluster string) []string {
	var envs []string
	for env, bindings := range c.Environments {
		for _, b := range bindings {
			if b.Cluster == cluster && !slices.Contains(envs, env) {
				envs = append(envs, env)
			}
		}
	}
	slices.Sort(envs)
	return envs
}

type derivation struct {
	pki   contract.PKI
	wants []Want
}

func (d *derivation) add(kind Kind, req pki.Request, why string) {
	req.Key = pki.KeyType(d.pki.Key)
	req.Lifetime = d.pki.Clients
	if req.Usage == pki.Peer {
		req.Lifetime = d.pki.Brokers
	}
	d.wants = append(d.wants, Want{ID: ID{kind, req.CommonName}, Request: req, Why: why})
}

// nodes wants one leaf for each process: that of a node with both roles is a
// broker's.
func (d *derivation) nodes(c *contract.Cluster) {
	shared := sharedHosts(c)
	for _, node := range c.Nodes {
		kind, hosts := Controller, node.Hosts
		if slices.Contains(node.Roles, contract.BrokerRole) {
			kind, hosts = Broker, slices.Concat(node.Hosts, shared)
		}
		req := pki.Request{CommonName: node.Name, Usage: pki.Peer}
		for _, host := range hosts {
			if ip, err := netip.ParseAddr(host); err == nil {
				req.IPs = append(req.IPs, ip)
			} else {
				req.DNSNames = append(req.DNSNames, host)
			}
		}
		d.add(kind, req, fmt.Sprintf("node %s of cluster %s", node.Name, c.Name))
	}
}

// sharedHosts are the hosts of the bootstrap addresses that no node has to
// itself.
func sharedHosts(c *contract.Cluster) []string {
	var shared []string
	for address := range strings.SplitSeq(c.Bootstrap.MTLS+","+c.Bootstrap.SCRAM+","+c.Bootstrap.Plain, ",") {
		host, _, err := net.SplitHostPort(strings.TrimSpace(address))
		if err != nil || slices.Contains(shared, host) || slices.ContainsFunc(c.Nodes, func(n contract.Node) bool {
			return slices.ContainsFunc(n.Hosts, func(own string) bool { return strings.EqualFold(own, host) })
		}) {
			continue
		}
		shared = append(shared, host)
	}
	return shared
}

func (d *derivation) environment(r *contract.Resolved, cluster string) {
	d.add(Admin, pki.Request{CommonName: "admin-" + r.Env, Usage: pki.Client}, "the people who operate environment "+r.Env)
	for _, svc := range r.Services {
		if svc.AuthOn(cluster) != contract.MTLS || !uses(r, svc, cluster) {
			continue
		}
		why := fmt.Sprintf("service %s authenticates with mtls in environment %s", svc.Name, r.Env)
		d.add(Client, pki.Request{CommonName: svc.User(), Usage: pki.Client}, why)
		if redrives(r, svc, cluster) {
			d.add(Client, pki.Request{CommonName: svc.RedriveUser(), Usage: pki.Client},
				fmt.Sprintf("dead letters of service %s are worked on in environment %s", svc.Name, r.Env))
		}
	}
}

// uses reports whether a service has anything to do with a cluster.
func uses(r *contract.Resolved, svc *contract.Service, cluster string) bool {
	return slices.ContainsFunc(svc.Aliases(), func(alias string) bool { return r.ClusterName(alias) == cluster })
}

func redrives(r *contract.Resolved, svc *contract.Service, cluster string) bool {
	for _, c := range svc.Consumes {
		if c.DeadLetters() && r.ClusterName(c.Cluster) == cluster {
			return true
		}
	}
	return false
}
