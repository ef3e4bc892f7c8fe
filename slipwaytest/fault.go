package slipwaytest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
)

// A gate lets connections to one address through while it is open.
type gate struct {
	closed atomic.Bool
	addr   string
}

var errClosed = errors.New("connection cut by the test")

// CutRegistry cuts the services off from the schema registry, or connects them
// again.
func (k *Kit) CutRegistry(cut bool) { k.registryGate.closed.Store(cut) }

// HideFile takes away a file that services are mounted with (ca.crt,
// registry.auth, <service>.password) until the returned function is called.
func (k *Kit) HideFile(name string) (restore func()) {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.Rename(path, path+".hidden"); err != nil {
		k.t.Fatal(err)
	}
	return func() {
		k.t.Helper()
		if err := os.Rename(path+".hidden", path); err != nil {
			k.t.Fatal(err)
		}
	}
}

// dial is how services reach brokers and registry.
func (k *Kit) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	g := &k.registryGate
	if addr == g.addr && g.closed.Load() {
		return nil, errClosed
	}
	conn, err := k.cluster.Dial(ctx, network, addr)
	if err != nil || addr != g.addr {
		return conn, err
	}
	return &gated{conn, g}, nil
}

// gated is a connection that ends with the next write once its gate closed.
type gated struct {
	net.Conn
	gate *gate
}

// Write implements [net.Conn].
func (g *gated) Write(p []byte) (int, error) {
	if g.gate.closed.Load() {
		return 0, errors.Join(errClosed, g.Conn.Close())
	}
	return g.Conn.Write(p)
}

// hostOf returns the host and port of a URL.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
