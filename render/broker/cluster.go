package broker

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/render/manifest"
)

// A Cluster is a cluster of clusters.yaml as its nodes see it: all that their
// settings follow from.
type Cluster struct {
	Entry *contract.Cluster
	Nodes []Node // in order of their ids

	// SuperUsers are the principals that no ACL applies to: the nodes, and the
	// administrators of the environments that are on the cluster.
	SuperUsers []string

	// Mechanisms are those by which services prove a password, such as
	// SCRAM-SHA-512; none if the cluster has no address for it.
	Mechanisms []string

	clusters *contract.Clusters
	message  int // bytes of the largest record that a contract allows
}

// A Node is a broker, a controller, or both in one process.
type Node struct {
	ID         int
	Name       string
	Host       string // by which the other nodes find it
	Broker     bool
	Controller bool
	Listeners  []Listener

	// Directory is the id of the storage of a controller: who votes is told by
	// it, beside the node's id, since a disk can be lost.
	Directory string
}

// A Listener is a port of a node. All of them speak TLS.
type Listener struct {
	Name string // in capitals: CONTROLLER, INTERNAL, MTLS, SCRAM
	Host string // that clients are told
	Port int
	SASL bool   // who it is proves it by a password, and shows no certificate
	Why  string // what it is there for
}

// The listeners between nodes. Clients use MTLS and SCRAM, as bootstrap in
// clusters.yaml calls them.
const (
	controllerListener = "CONTROLLER"
	internalListener   = "INTERNAL"

	controllerPort = 9090
	internalPort   = 9091
)

// New derives a cluster of an environment. All that is wrong is told at once.
func New(r *contract.Resolved, name string) (*Cluster, error) {
	entry := r.Clusters.Clusters[name]
	if entry == nil || len(entry.Nodes) == 0 {
		return nil, noNodes(r, name, entry)
	}
	c := &Cluster{Entry: entry, clusters: r.Clusters}
	var faults diag.List
	c.nodes(&faults)
	c.listeners(&faults)
	c.judge(r.Env, &faults)
	c.mechanisms(r)
	for _, svc := range r.Services {
		for _, t := range svc.Topics {
			c.message = max(c.message, int(t.MaxMessage))
		}
	}
	c.superUsers(&faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func noNodes(r *contract.Resolved, name string, entry *contract.Cluster) error {
	if entry == nil {
		return diag.New(diag.RenderNoNodes, "environment %s is on %s, which has no nodes that could be set up", r.Env, name).
			At(r.Clusters.Position("environments/"+r.Env)).
			WithFix("add a cluster with nodes to %s, and an environment that is on it", contract.ClustersFile)
	}
	return diag.New(diag.RenderNoNodes, "cluster %s lists no nodes", name).At(r.Clusters.Position("clusters/" + name))
}

func (c *Cluster) element(path string) string { return "clusters/" + c.Entry.Name + path }

func (c *Cluster) fault(list *diag.List, code diag.Code, path, format string, args ...any) {
	list.Add(diag.New(code, format, args...).At(c.clusters.Position(c.element(path))))
}

// from names the place in clusters.yaml that something follows from.
func (c *Cluster) from(path string) string { return manifest.AtClusters(c.clusters, c.element(path)) }

var numberAtEnd = regexp.MustCompile(`[0-9]+$`)

func (c *Cluster) nodes(faults *diag.List) {
	taken := map[int]string{}
	for _, n := range c.Entry.Nodes {
		id, err := strconv.ParseInt(numberAtEnd.FindString(n.Name), 10, 31)
		switch other, twice := taken[int(id)]; {
		case err != nil:
			c.fault(faults, diag.RenderNodeNumber, "/nodes/"+n.Name, "node %s has no number at its end", n.Name)
		case twice:
			c.fault(faults, diag.RenderNodeNumber, "/nodes/"+n.Name, "nodes %s and %s have the same number", other, n.Name)
		}
		taken[int(id)] = n.Name
		c.Nodes = append(c.Nodes, Node{
			ID: int(id), Name: n.Name, Host: dialed(n),
			Broker:     slices.Contains(n.Roles, contract.BrokerRole),
			Controller: slices.Contains(n.Roles, contract.ControllerRole),
			Directory:  directoryID(c.Entry.ID, n.Name),
		})
	}
	slices.SortFunc(c.Nodes, func(a, b Node) int { return cmp.Or(cmp.Compare(a.ID, b.ID), strings.Compare(a.Name, b.Name)) })
}

// dialed is the host by which other machines find a node: its first one that is
// not this machine's own name for itself.
func dialed(n contract.Node) string {
	for _, host := range n.Hosts {
		if !loopback(host) {
			return host
		}
	}
	return n.Hosts[0]
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// directoryID is an id of Kafka's form that is always the same for a node of a
// cluster. It never begins with a hyphen, which commands take for a flag.
func directoryID(cluster, node string) string {
	sum := sha256.Sum256([]byte("directory of a controller\n" + cluster + "\n" + node))
	sum[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// judge tells what Kafka would not start with, or not survive.
func (c *Cluster) judge(env string, faults *diag.List) {
	var brokers, controllers int
	for _, n := range c.Nodes {
		if n.Broker {
			brokers++
		}
		if n.Controller {
			controllers++
		}
	}
	if controllers%2 == 0 || controllers == 1 && env != "dev" {
		c.fault(faults, diag.RenderQuorum, "/nodes", "cluster %s has %d controllers", c.Entry.Name, controllers)
	}
	if want := c.Entry.Defaults.Replicas; brokers < want {
		c.fault(faults, diag.RenderReplicas, "/nodes", "cluster %s has %d brokers, and its topics %d replicas", c.Entry.Name, brokers, want)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(c.Entry.ID); err != nil || len(raw) != 16 {
		c.fault(faults, diag.RenderClusterID, "/id", "the id of cluster %s, %s, is not 16 bytes in base64", c.Entry.Name, c.Entry.ID)
	}
}

// mechanisms are SCRAM-SHA-512, and beside it what contracts ask for.
func (c *Cluster) mechanisms(r *contract.Resolved) {
	if c.Entry.Bootstrap.SCRAM == "" {
		return
	}
	c.Mechanisms = []string{"SCRAM-SHA-512"}
	for _, svc := range r.Services {
		if svc.AuthOn(c.Entry.Name) == contract.SCRAMSHA256 {
			c.Mechanisms = []string{"SCRAM-SHA-512", "SCRAM-SHA-256"}
		}
	}
}

// superUsers are whom the certificates of nodes and administrators make.
func (c *Cluster) superUsers(faults *diag.List) {
	var names []string
	for _, n := range c.Nodes {
		names = append(names, n.Name)
	}
	for env, bindings := range c.clusters.Environments {
		for _, b := range bindings {
			if b.Cluster == c.Entry.Name && !slices.Contains(names, "admin-"+env) {
				names = append(names, "admin-"+env)
			}
		}
	}
	slices.Sort(names)
	rules, err := principal.Parse(c.Entry.PKI.Principals)
	if err == nil {
		// Any service stands for all: what its name makes must be no super user.
		subjects := []string{"CN=svc-x-x"}
		for _, n := range names {
			subjects = append(subjects, "CN="+n)
		}
		err = rules.Distinct(subjects...)
	}
	for _, n := range names {
		if err != nil {
			break
		}
		var user string
		if user, err = rules.Apply("CN=" + n); err == nil {
			c.SuperUsers = append(c.SuperUsers, "User:"+user)
		}
	}
	if err != nil {
		c.fault(faults, diag.RenderPrincipal, "/pki/principals", "principals of cluster %s: %v", c.Entry.Name, err)
	}
}

// Formatting are the arguments of kafka-storage.sh format for a node, before the
// file with its settings.
func (c *Cluster) Formatting(n Node) []string {
	args := []string{"--cluster-id", c.Entry.ID}
	if n.Controller {
		args = append(args, "--initial-controllers", c.voters())
	}
	return args
}

func (c *Cluster) voters() string {
	var all []string
	for _, n := range c.Nodes {
		if n.Controller {
			all = append(all, fmt.Sprintf("%d@%s:%s", n.ID, net.JoinHostPort(n.Host, strconv.Itoa(controllerPort)), n.Directory))
		}
	}
	return strings.Join(all, ",")
}
