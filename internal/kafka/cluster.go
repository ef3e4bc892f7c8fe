package kafka

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
)

// MaxBatch is how many items go into one request.
const MaxBatch = 200

// A Config says how to reach a cluster.
type Config struct {
	// Bootstrap is host:port, several separated by commas.
	Bootstrap string

	// Auth is how the client proves who it is; empty or mtls means by its
	// certificate, if it has one.
	Auth contract.Auth

	// ClientID is what brokers call this client in their logs.
	//
	// Defaults to "slipway".
	ClientID string

	// Dialer replaces the way connections are opened; TLS is spoken over what
	// it returns.
	//
	// Defaults to a [net.Dialer] with a timeout of 5 seconds.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)

	// Password is asked for at each login. It is required with a SASL Auth.
	Password auth.Password

	// Timeout bounds Connect and each request after it, retries included.
	//
	// Defaults to 15 seconds.
	Timeout time.Duration

	// TLS is the client's TLS configuration. Without one only loopback
	// addresses are dialled, and PLAIN not at all.
	TLS *tls.Config

	// User is who to log in as. It is required with a SASL Auth.
	User string
}

func (c Config) withDefaults() Config {
	c.ClientID = cmp.Or(c.ClientID, "slipway")
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	if c.Dialer == nil {
		c.Dialer = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	return c
}

// attempt is what a diagnostic needs to know of the configuration.
func (c Config) attempt() auth.Attempt {
	a := auth.Attempt{Bootstrap: c.Bootstrap, Auth: c.Auth, User: c.User, TLS: c.TLS != nil}
	if c.TLS != nil {
		a.Own, a.Roots = auth.Leaves(c.TLS.Certificates), c.TLS.RootCAs
	}
	return a
}

// A Cluster is a connection to one Kafka cluster. Close it.
type Cluster struct {
	client  *kgo.Client
	admin   *kadm.Client
	attempt auth.Attempt
	timeout time.Duration
	id      string
	brokers int

	principals []string
}

// Connect logs in to a cluster and learns its id.
func Connect(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg = cfg.withDefaults()
	d := &dialer{cfg: cfg}
	opts, err := d.options()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, auth.Diagnose(err, cfg.attempt())
	}
	c := &Cluster{client: client, admin: kadm.NewClient(client), attempt: cfg.attempt(), timeout: cfg.Timeout, principals: cfg.principals()}
	c.admin.SetTimeoutMillis(int32(cfg.Timeout.Milliseconds()))
	if err := c.greet(ctx); err != nil {
		client.Close()
		if shook := d.failed.Load(); shook != nil && errors.Is(err, diag.KafkaTimeout) {
			return nil, auth.Diagnose(shook, cfg.attempt())
		}
		return nil, err
	}
	return c, nil
}

// A dialer opens connections and remembers a TLS handshake that failed: by the
// time the other brokers were tried too, what is left may be just a timeout.
type dialer struct {
	cfg    Config
	failed atomic.Pointer[auth.HandshakeError]
}

func (d *dialer) options() ([]kgo.Opt, error) {
	c := d.cfg
	addrs, err := auth.Addresses(c.Bootstrap)
	if err != nil {
		return nil, err
	}
	if c.TLS == nil {
		if err := auth.RequireTLS(addrs, c.Auth); err != nil {
			return nil, err
		}
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(addrs...),
		kgo.ClientID(c.ClientID),
		kgo.Dialer(d.dial),
		kgo.RetryTimeout(c.Timeout),
		kgo.MetadataMinAge(100 * time.Millisecond),                 // lag is asked for once a second
		kgo.RequestTimeoutOverhead(min(c.Timeout, 10*time.Second)), // also bounds the first read, which minds no context
	}
	if c.Auth == "" {
		return opts, nil
	}
	mechanism, err := auth.Mechanism(c.Auth, c.User, c.Password)
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// dial opens a connection and finishes the TLS handshake, so that a refused
// certificate is an error of dialling and not of the first request.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c := d.cfg
	conn, err := c.Dialer(ctx, network, address)
	if err != nil || c.TLS == nil {
		return conn, err
	}
	cfg := c.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(address)
	}
	secured := tls.Client(conn, cfg)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout/2) // before the request's own, which would hide it
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		shook := &auth.HandshakeError{Err: err}
		d.failed.CompareAndSwap(nil, shook)
		return nil, shook
	}
	return secured, nil
}

// greet provokes the login and learns the cluster's id. The ping comes first
// because it tries each seed once: a refused login ends here and is not
// repeated until the timeout.
func (c *Cluster) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := c.client.Ping(ctx); err != nil {
		return c.diagnose(err)
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return c.diagnose(err)
	}
	if resp.ClusterID != nil {
		c.id = *resp.ClusterID
	}
	c.brokers = len(resp.Brokers)
	return nil
}

// diagnose keeps cancellation as it is: who cancelled knows why.
func (c *Cluster) diagnose(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return auth.Diagnose(err, c.attempt)
}

// ID is the cluster's id, which it has kept since it was formatted.
func (c *Cluster) ID() string { return c.id }

// Brokers is how many brokers the cluster had when it was connected to.
func (c *Cluster) Brokers() int { return c.brokers }

// Close drops the connections.
func (c *Cluster) Close() { c.client.Close() }

// bounded gives a request the cluster's timeout.
func (c *Cluster) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}
