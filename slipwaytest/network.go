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

// A network is how the services reach brokers and registry. An instance or an
// address can be cut: what is open then is closed, and nothing is opened. An
// instance can be isolated: nothing comes through what is open, and nobody is
// told, until it is healed and what was held up arrives. Nothing new is opened,
// and that it is told at once: the client holds a mutex while it dials, and time
// in a synctest bubble stands still while anybody waits for that.
type network struct {
	open func(ctx context.Context, network, addr string) (net.Conn, error)

	mu        sync.Mutex
	links     map[*link]struct{}
	killed    map[*instance]struct{}
	isolated  map[*instance]chan struct{} // closed when it is healed
	addresses map[string]struct{}         // that cannot be reached
}

func newNetwork(open func(context.Context, string, string) (net.Conn, error)) *network {
	return &network{
		open: open, links: make(map[*link]struct{}), killed: make(map[*instance]struct{}),
		isolated: make(map[*instance]chan struct{}), addresses: make(map[string]struct{}),
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
		l := &link{Conn: conn, network: n, of: of, addr: addr, ended: make(chan struct{}), changed: make(chan struct{})}
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
	_, dead := n.killed[of]
	_, away := n.addresses[addr]
	return dead || away || n.isolated[of] != nil
}

// hole is what an isolated instance waits for; nil for all others.
func (n *network) hole(of *instance) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.isolated[of]
}

// isolate lets nothing through to and from an instance.
func (n *network) isolate(i *instance) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isolated[i] == nil {
		n.isolated[i] = make(chan struct{})
	}
}

func (n *network) heal(i *instance) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if healed := n.isolated[i]; healed != nil {
		delete(n.isolated, i)
		close(healed)
	}
}

// kill cuts an instance off for good.
func (n *network) kill(i *instance) {
	n.mu.Lock()
	n.killed[i] = struct{}{}
	n.mu.Unlock()
	n.heal(i) // what it waits for does not come
	n.drop(func(l *link) bool { return l.of == i })
}

// block makes an address unreachable for every instance.
func (n *network) block(addr string) {
	n.mu.Lock()
	n.addresses[addr] = struct{}{}
	n.mu.Unlock()
	n.drop(func(l *link) bool { return l.addr == addr })
}

func (n *network) unblock(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.addresses, addr)
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

// mend heals everything but what was killed.
func (n *network) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.addresses)
	for _, healed := range n.isolated {
		close(healed)
	}
	clear(n.isolated)
}

// hostOf returns the host and port of a URL.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
