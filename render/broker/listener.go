package broker

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// listeners gives each node its ports. Those for clients are what bootstrap says;
// those between nodes are always the same.
func (c *Cluster) listeners(faults *diag.List) {
	if c.Entry.Bootstrap.Plain != "" {
		list := diag.New(diag.RenderListener, "cluster %s has an address for plain, whose passwords every broker would read", c.Entry.Name).
			At(c.clusters.Position(c.element("/bootstrap/plain"))).
			WithFix("remove plain, and have those who use it come by scram")
		faults.Add(list)
	}
	brokers := 0
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.Controller {
			n.Listeners = append(n.Listeners, Listener{Name: controllerListener, Host: n.Host, Port: controllerPort, Why: "where controllers vote and brokers ask them; no client has business there"})
		}
		if !n.Broker {
			continue
		}
		n.Listeners = append(n.Listeners, Listener{Name: internalListener, Host: n.Host, Port: internalPort, Why: "where brokers copy partitions from one another, so that clients can be cut off without cutting that off"})
		if l, ok := c.client(n, "MTLS", c.Entry.Bootstrap.MTLS, brokers); ok {
			l.Why = "for clients that show a certificate; " + c.from("/bootstrap/mtls")
			n.Listeners = append(n.Listeners, l)
		}
		if l, ok := c.client(n, "SCRAM", c.Entry.Bootstrap.SCRAM, brokers); ok {
			l.Why, l.SASL = "for clients that prove a password; "+c.from("/bootstrap/scram"), true
			n.Listeners = append(n.Listeners, l)
		}
		brokers++
		c.collisions(n, faults)
	}
}

// client is the listener for the addresses that clients begin at. Where they name
// the node, that is what clients are told; where they name a load balancer or the
// like, its port is the listener's. Several addresses of one host are those of
// brokers behind it, one after the other.
func (c *Cluster) client(n *Node, name, addresses string, index int) (Listener, bool) {
	if addresses == "" {
		return Listener{}, false
	}
	entry := c.Entry.Nodes[slices.IndexFunc(c.Entry.Nodes, func(e contract.Node) bool { return e.Name == n.Name })]
	l := Listener{Name: name, Host: n.Host}
	var own []Listener
	for address := range strings.SplitSeq(addresses, ",") {
		host, text, _ := net.SplitHostPort(strings.TrimSpace(address)) // the contract has judged it
		port, _ := strconv.Atoi(text)
		if l.Port == 0 {
			l.Port = port
		}
		if slices.ContainsFunc(entry.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
			own = append(own, Listener{Name: name, Host: host, Port: port})
		}
	}
	switch {
	case len(own) == 1:
		return own[0], true
	case index < len(own):
		return own[index], true
	}
	return l, true
}

// collisions tells of two listeners of a node at one port.
func (c *Cluster) collisions(n *Node, faults *diag.List) {
	taken := map[int]string{}
	for _, l := range n.Listeners {
		if other, twice := taken[l.Port]; twice {
			c.fault(faults, diag.RenderListener, "/bootstrap", "node %s would have %s and %s both at port %d", n.Name, other, l.Name, l.Port)
		}
		taken[l.Port] = l.Name
	}
}
