package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/slipway-go/slipway/diag"
)

// network listens and dials: loopback TCP, or memory.
type network struct{ virtual *kfake.VirtualNetwork }

func (n network) listen(_, address string) (net.Listener, error) {
	var l net.Listener
	var err error
	if n.virtual != nil {
		l, err = n.virtual.Listen("tcp", address)
	} else {
		l, err = net.Listen("tcp", address)
	}
	if err == nil {
		return l, nil
	}
	if n.virtual != nil || errors.Is(err, syscall.EADDRINUSE) {
		return nil, diag.New(diag.EmbeddedPort, "address %s is in use by another program", address)
	}
	return nil, diag.New(diag.EmbeddedPort, "listen on %s: %v", address, err)
}

func (n network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	if n.virtual != nil {
		return n.virtual.DialContext(ctx, kind, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, kind, address)
}

// dialTLS dials and shakes hands.
func (n network) dialTLS(cfg *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, kind, address string) (net.Conn, error) {
		raw, err := n.dial(ctx, kind, address)
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		own := cfg.Clone()
		own.ServerName = host
		conn := tls.Client(raw, own)
		if err := conn.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		return conn, nil
	}
}

// loopback is the address of a port; 0 lets the system choose.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
