package slipwaytest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
)

// errCut is what a service sees of a connection that the test has cut.
var errCut = errors.New("connection cut by the test")

// A network is how the services reach brokers and registry. It can be cut for
// one instance, or for one address; what is open then is closed, and nothing
// is opened until it is mended.
type network struct {
	open func(ctx context.Context, network, addr string) (net.Conn, error)

	mu        sync.Mutex
	links     map[*link]struct{}
	instances map[*instance]struct{} // that are cut off
	addresses map[string]struct{}    // that cannot be reached
}

// A link is an open connection of an instance.
type link struct {
	net.Conn
	network *network
	of      *instance
	addr    string
}

func newNetwork(open func(context.Context, string, string) (net.Conn, error)) *network {
	return &network{
		open: open, links: make(map[*link]struct{}), instances: make(map[*instance]struct{}), addresses: make(map[string]struct{}),
	}
}

// dialer is how an instance opens connections.
func (n *network) dialer(of *instance) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if n.isCut(of, addr) {
			return nil, errCut
		}
		conn, err := n.open(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l := &link{conn, n, of, addr}
		n.mu.Lock()
		n.links[l] = struct{}{}
		n.mu.Unlock()
		if n.isCut(of, addr) { // meanwhile
			return nil, errors.Join(errCut, l.Close())
		}
		return l, nil
	}
}

func (n *network) isCut(of *instance, addr string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, lonely := n.instances[of]
	_, away := n.addresses[addr]
	return lonely || away
}

// Close implements [net.Conn].
func (l *link) Close() error {
	l.network.mu.Lock()
	delete(l.network.links, l)
	l.network.mu.Unlock()
	return l.Conn.Close()
}

// isolate cuts an instance off.
func (n *network) isolate(i *instance) {
	n.mu.Lock()
	n.instances[i] = struct{}{}
	n.mu.Unlock()
	n.drop(func(l *link) bool { return l.of == i })
}

// block makes an address unreachable for every instance.
func (n *network) block(addr string) {
	n.mu.Lock()
	n.addresses[addr] = struct{}{}
	n.mu.Unlock()
	n.drop(func(l *link) bool { return l.addr == addr })
}

func (n *network) drop(which func(*link) bool) {
	n.mu.Lock()
	var gone []*link
	for l := range n.links {
		if which(l) {
			gone = append(gone, l)
		}
	}
	n.mu.Unlock()
	for _, l := range gone {
		_ = l.Close() // the service is told by its next read or write
	}
}

func (n *network) heal(i *instance) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.instances, i)
}

func (n *network) unblock(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.addresses, addr)
}

// mend heals everything but what was killed.
func (n *network) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.addresses)
	for i := range n.instances {
		if !i.killed {
			delete(n.instances, i)
		}
	}
}

// hostOf returns the host and port of a URL.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
