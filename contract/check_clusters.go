package contract

import (
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// clusterFaults collects what is wrong with clusters.yaml, by element.
type clusterFaults struct {
	clusters *Clusters
	list     diag.List
}

func (f *clusterFaults) add(code diag.Code, element, fix, format string, args ...any) {
	d := diag.New(code, "%s: %s", element, fmt.Sprintf(format, args...)).At(f.clusters.Position(element))
	d.Fix = fix
	f.list.Add(d)
}

// check judges clusters.yaml alone, and compiles its naming rule.
func (c *Clusters) check() diag.List {
	f := &clusterFaults{clusters: c}
	rule, err := regexp.Compile(c.naming)
	if err != nil || c.naming == "" {
		rule = regexp.MustCompile(DefaultTopicNaming)
	}
	if err != nil {
		f.add(diag.ClusterNaming, "naming/topic", "", "%v", err)
	}
	c.TopicNaming = rule
	ids := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Clusters)) {
		cluster := c.Clusters[name]
		if other, twice := ids[cluster.ID]; twice && cluster.ID != "" {
			f.add(diag.ClusterDuplicateID, "clusters/"+name+"/id", "", "%s has the same id", other)
		}
		ids[cluster.ID] = name
		f.cluster(cluster)
	}
	f.bindings()
	f.shared()
	f.platforms()
	return f.list
}

func (f *clusterFaults) cluster(c *Cluster) {
	element := "clusters/" + c.Name
	if c.Name == Embedded || c.Name == Local {
		f.add(diag.ClusterReserved, element, "", "%s needs no entry", c.Name)
	}
	if c.Bootstrap == (Bootstrap{}) && f.clusters.source.written(element, "bootstrap") {
		f.add(diag.ClusterEndpoint, element+"/bootstrap", "add mtls or scram with host:port", "there is no address")
	}
	for _, listener := range []struct{ name, addresses string }{{"mtls", c.Bootstrap.MTLS}, {"scram", c.Bootstrap.SCRAM}, {"plain", c.Bootstrap.Plain}} {
		if err := checkAddresses(listener.addresses); err != nil {
			f.add(diag.ClusterEndpoint, element+"/bootstrap/"+listener.name, "write host:port, several with commas", "%v", err)
		}
	}
	if c.Registry != nil {
		f.url(element+"/registry/url", c.Registry.URL)
	}
	if c.Connect != nil {
		f.url(element+"/connect/url", c.Connect.URL)
	}
	for i, cidr := range c.CIDRs {
		if _, err := netip.ParsePrefix(cidr); err != nil && cidr != "" {
			f.add(diag.ClusterEndpoint, fmt.Sprintf("%s/cidrs/%d", element, i), "write a network such as 10.20.0.0/16", "%s is not a network", cidr)
		}
	}
	if file := c.CA.File; file != "" && !fs.ValidPath(file) {
		f.add(diag.ContractFile, element+"/ca", "", "%s is not a relative path without ..", file)
	}
	f.defaults(c, element+"/defaults")
	f.nodes(c, element+"/nodes")
}

func (f *clusterFaults) defaults(c *Cluster, element string) {
	d := &c.Defaults
	if d.MinInsyncReplicas == 0 {
		d.MinInsyncReplicas = min(2, max(1, d.Replicas-1))
	}
	if d.MinInsyncReplicas > d.Replicas {
		f.add(diag.ClusterDefaults, element+"/min.insync.replicas", "", "%d of %d replicas must be in sync", d.MinInsyncReplicas, d.Replicas)
	}
	if d.Replicas > 1 && d.MinInsyncReplicas == d.Replicas {
		f.add(diag.ClusterDefaults, element+"/min.insync.replicas", "", "all %d replicas must be in sync, so one broker that is away stops all writing", d.Replicas)
		f.list[len(f.list)-1].Severity = diag.Warning
	}
}

func (f *clusterFaults) url(element, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		f.add(diag.ClusterEndpoint, element, "write it like https://registry.example.com", "%s is not an http or https URL", text)
	case u.User != nil:
		f.add(diag.ClusterEndpoint, element, "remove it; credentials come from files", "the URL contains a user or a password")
	}
}

func checkAddresses(list string) error {
	if list == "" {
		return nil
	}
	for address := range strings.SplitSeq(list, ",") {
		host, port, err := net.SplitHostPort(strings.TrimSpace(address))
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil || n == 0 || host == "" || strings.ContainsAny(host, "/ @") {
			return fmt.Errorf("%q is not host:port", address)
		}
	}
	return nil
}

// bindings judges that every alias means a cluster there is.
func (f *clusterFaults) bindings() {
	known := append(slices.Sorted(maps.Keys(f.clusters.Clusters)), Embedded, Local)
	for _, env := range slices.Sorted(maps.Keys(f.clusters.Environments)) {
		for _, alias := range slices.Sorted(maps.Keys(f.clusters.Environments[env])) {
			b := f.clusters.Environments[env][alias]
			if b.Cluster == "" || slices.Contains(known, b.Cluster) {
				continue
			}
			fix := fmt.Sprintf("add clusters: {%s: {id: …, bootstrap: {…}}}, or name one of: %s", b.Cluster, strings.Join(known, ", "))
			if near := nearest(b.Cluster, known); near != "" {
				fix = fmt.Sprintf("did you mean %s?", near)
			}
			f.add(diag.ClusterUnknown, "environments/"+env+"/"+alias, fix, "cluster %s is not listed", b.Cluster)
		}
	}
}

// shared judges that environments on one cluster are kept apart. Every
// environment has an embedded cluster of its own.
func (f *clusterFaults) shared() {
	type use struct{ env, alias, prefix string }
	uses := map[string][]use{}
	for _, env := range slices.Sorted(maps.Keys(f.clusters.Environments)) {
		for _, alias := range slices.Sorted(maps.Keys(f.clusters.Environments[env])) {
			b := f.clusters.Environments[env][alias]
			if b.Cluster == Embedded {
				continue
			}
			for _, other := range uses[b.Cluster] {
				if other.env != env && (strings.HasPrefix(b.TopicPrefix, other.prefix) || strings.HasPrefix(other.prefix, b.TopicPrefix)) {
					f.add(diag.ClusterShared, "environments/"+env+"/"+alias, fmt.Sprintf("write {cluster: %s, topicPrefix: %s.}, and likewise for the other", b.Cluster, env),
						"environment %s is on %s too, and topicPrefix %q does not keep it apart from %q", other.env, b.Cluster, b.TopicPrefix, other.prefix)
				}
			}
			uses[b.Cluster] = append(uses[b.Cluster], use{env, alias, b.TopicPrefix})
		}
	}
}
