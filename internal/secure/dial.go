package secure

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"time"
)

// Dialer returns a dialer of TLS connections to Kafka brokers over dial, which
// opens connections in the clear. The host that is dialled is the one that the
// broker's certificate must name. A handshake that fails is a [HandshakeError].
//
// The connections end by themselves before the certificates do that they were
// made with, between two requests; see the package's comment.
func (f *Files) Dialer(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, with, err := f.dial(ctx, dial, network, address)
		if err != nil {
			return nil, err
		}
		leaf := conn.ConnectionState().PeerCertificates[0]
		lives := []life{{leaf.NotBefore, leaf.NotAfter}}
		if p := with.pair; p.cert != nil {
			lives = append(lives, life{p.from, p.chain[0].NotAfter})
		}
		return age(conn, planned(time.Now(), rand.Float64(), lives...), &f.ages), nil //nolint:gosec // spreads the load, and guards nothing
	}
}

// HTTPDialer is Dialer for what does not speak Kafka's protocol: its connections
// do not end by themselves. Whoever keeps them closes those that are idle when the
// files change, see [Files.OnChange].
func (f *Files) HTTPDialer(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, _, err := f.dial(ctx, dial, network, address)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
}

// dial opens a connection, and returns what it was made with.
func (f *Files) dial(ctx context.Context, dial DialFunc, network, address string) (*tls.Conn, moment, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, moment{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	raw, err := dial(ctx, network, address)
	if err != nil {
		return nil, moment{}, err
	}
	with := f.now()
	conn := tls.Client(raw, with.client(host))
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, moment{}, &HandshakeError{Err: err}
	}
	return conn, with, nil
}
