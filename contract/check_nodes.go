package contract

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// hostLabel is a label of a host name. One of digits alone at the end would
// make an address of the name that nobody meant.
var hostLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// nodes judges what certificates of a cluster's nodes will name.
func (f *clusterFaults) nodes(c *Cluster, element string) {
	users := map[string]string{} // host → the first node that has it
	for _, node := range c.Nodes {
		at := element + "/" + node.Name
		for _, prefix := range []string{"svc-", "admin-"} {
			if strings.HasPrefix(node.Name, prefix) {
				f.add(diag.ClusterNode, at, "choose a name that does not begin with "+prefix, "certificates of services are called svc-…, those of administrators admin-…, and brokers would take this node for one")
			}
		}
		if len(node.Hosts) == 0 && f.clusters.source.written(at, "hosts") {
			f.add(diag.ClusterNode, at+"/hosts", "list the host name that advertised.listeners has", "there is no host")
		}
		if len(node.Roles) == 0 {
			f.add(diag.ClusterNode, at+"/roles", "write broker, controller or both", "there is no role")
		}
		for i, host := range node.Hosts {
			place := fmt.Sprintf("%s/hosts/%d", at, i)
			f.host(c, place, host)
			f.twice(place, host, node.Hosts[:i], node.Name, users)
		}
	}
}

func (f *clusterFaults) host(c *Cluster, element, host string) {
	if host == "" {
		return // a wrong type, which has been told
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		if cause := hostFault(host); cause != "" {
			f.add(diag.ClusterNode, element, "write a host name such as kafka-0.example.com or an address such as 10.20.0.4, without a port", "%q %s", host, cause)
		}
		return
	}
	switch {
	case ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" || ip.Is4In6():
		f.add(diag.ClusterNode, element, "write the address that others dial", "%s is not the address of one host", host)
	case ip.String() != host:
		f.add(diag.ClusterNode, element, "write "+ip.String(), "%s is not the short form of the address", host)
	case !ip.IsLoopback() && !c.within(ip):
		f.add(diag.ClusterNode, element, "correct the address, or add its network to cidrs", "%s is in none of the networks that cidrs lists", host)
	}
}

// within reports whether an address is where the cluster says it is.
func (c *Cluster) within(ip netip.Addr) bool {
	return len(c.CIDRs) == 0 || slices.ContainsFunc(c.CIDRs, func(cidr string) bool {
		network, err := netip.ParsePrefix(cidr)
		return err != nil || network.Contains(ip)
	})
}

func hostFault(host string) string {
	labels := strings.Split(host, ".")
	switch {
	case strings.Contains(host, "*"):
		return "is a wildcard, which would make the certificate good for other hosts too"
	case strings.Contains(host, ":"):
		return "has a port, or is no address"
	case slices.ContainsFunc(labels, func(l string) bool { return !hostLabel.MatchString(l) }):
		return "is not a host name"
	case strings.Trim(labels[len(labels)-1], "0123456789") == "":
		return "is neither an address nor a host name"
	}
	return ""
}

// twice judges a host that another place has, too. Several nodes behind one
// name with a port for each are possible, but more often a line was copied.
func (f *clusterFaults) twice(element, host string, before []string, name string, users map[string]string) {
	folded := strings.ToLower(host)
	if slices.ContainsFunc(before, func(h string) bool { return h != host && strings.EqualFold(h, host) }) {
		f.add(diag.ClusterNode, element, "remove one of them", "%s is listed twice, in other letters", host)
	}
	other, taken := users[folded]
	if !taken {
		users[folded] = name
	}
	ip, _ := netip.ParseAddr(host)
	if !taken || other == name || folded == "localhost" || ip.IsLoopback() {
		return
	}
	f.add(diag.ClusterNode, element, "correct it, unless both nodes are behind this host with a port for each", "%s has the host %s, too, so each could pass for the other", other, host)
	f.list[len(f.list)-1].Severity = diag.Warning
}
