package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded/registry"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
)

// adminUser is exempt from ACLs.
const adminUser = "admin"

// A Cluster is a running Kafka cluster with its schema registry.
type Cluster struct {
	dir       directory
	secret    secret
	authority *pki.Authority
	network   network
	kafka     *kfake.Cluster
	store     *registry.Registry
	server    *http.Server
	served    chan struct{} // closed when the server's goroutine has ended
	url       string
	close     func() error
}

// A Login is a SCRAM user, under SHA-256 and SHA-512 alike.
type Login struct{ User, Password string }

// String shows no password.
func (l Login) String() string { return l.User + ":***" }

// RegistryAccess is how to reach the schema registry. The credentials are
// "user:password": Reader's is for services, Admin's for apply.
type RegistryAccess struct{ URL, Admin, Reader string }

// Start starts a cluster and returns when the admin can log in, or why not.
// The context bounds the start, not the cluster: that one ends with
// [Cluster.Close]. Problems that a user can cause are diagnostics.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("start embedded cluster: %w", err)
	}
	c := &Cluster{network: network{cfg.Network}}
	c.close = sync.OnceValue(c.stop)
	if err := c.start(ctx, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("start embedded cluster: %w", err), c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, cfg Config) (err error) {
	if c.dir, err = openDirectory(cfg.Dir); err != nil {
		return err
	}
	if c.secret, err = c.dir.secret(); err != nil {
		return err
	}
	if c.authority, err = c.dir.authority(time.Now()); err != nil {
		return err
	}
	id := &identity{authority: c.authority}
	if err := c.startRegistry(cfg, id); err != nil {
		return err
	}
	if err := c.startKafka(cfg, id); err != nil {
		return err
	}
	err = c.Ping(ctx, c.Admin())
	switch {
	case errors.Is(err, diag.EmbeddedLoginRefused):
		return diag.New(diag.EmbeddedDamaged, "the users in %s were created with another secret than %s",
			c.dir.file(brokerDir), c.dir.file(secretFile))
	case err != nil:
		return fmt.Errorf("log in as %s: %w", adminUser, err)
	}
	return nil
}

func (c *Cluster) startRegistry(cfg Config, id *identity) error {
	store, err := registry.Open(registry.Config{
		Admin:   c.secret.credential("admin"),
		Reader:  c.secret.credential("reader"),
		Journal: c.dir.file(journalFile),
	})
	if err != nil {
		return err
	}
	c.store = store
	l, err := c.network.listen("tcp", loopback(cfg.RegistryPort))
	if err != nil {
		return err
	}
	c.url = "https://" + l.Addr().String()
	c.server = &http.Server{
		Handler:           store,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	c.served = make(chan struct{})
	secured := tls.NewListener(l, id.config())
	go func() {
		defer close(c.served)
		_ = c.server.Serve(secured) // ends with Close, and with nothing else
	}()
	return nil
}

func (c *Cluster) startKafka(cfg Config, id *identity) error {
	admin := c.Admin()
	replicas := min(3, cfg.Brokers)
	opts := []kfake.Opt{
		kfake.NumBrokers(cfg.Brokers),
		kfake.ClusterID(c.secret.clusterID()),
		kfake.ListenFn(c.network.listen),
		kfake.TLS(id.config()),
		kfake.EnableSASL(),
		kfake.EnableACLs(),
		kfake.Superuser("SCRAM-SHA-256", admin.User, admin.Password),
		kfake.Superuser("SCRAM-SHA-512", admin.User, admin.Password),
		kfake.WithLogger(logger{cfg.Logger}),
		kfake.BrokerConfigs(map[string]string{
			"default.replication.factor": fmt.Sprint(replicas),
			"min.insync.replicas":        fmt.Sprint(max(1, replicas-1)),
		}),
	}
	if len(cfg.Ports) > 0 {
		opts = append(opts, kfake.Ports(cfg.Ports...))
	}
	if cfg.AutoCreateTopics {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	if dir := c.dir.file(brokerDir); dir != "" {
		opts = append(opts, kfake.DataDir(dir))
	}
	kafka, err := kfake.NewCluster(opts...)
	if _, coded := errors.AsType[diag.Diagnostic](err); err != nil && !coded {
		return diag.New(diag.EmbeddedDamaged, "start brokers: %v", err)
	}
	c.kafka = kafka
	return err
}

// Close stops brokers and registry, closes every connection and gives the data
// directory free. It may be called more than once.
func (c *Cluster) Close() error { return c.close() }

func (c *Cluster) stop() error {
	var errs []error
	if c.kafka != nil {
		c.kafka.Close()
	}
	if c.server != nil {
		errs = append(errs, c.server.Close())
		<-c.served
	}
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	return errors.Join(append(errs, c.dir.close())...)
}

// Bootstrap returns the brokers' addresses.
func (c *Cluster) Bootstrap() []string { return c.kafka.ListenAddrs() }

// CA returns the authority to trust, as PEM.
func (c *Cluster) CA() []byte { return c.authority.PEM() }

// TLS returns a client's TLS configuration that trusts the authority.
func (c *Cluster) TLS() *tls.Config {
	return secure.Client(c.authority.Pool())
}

// Admin is the user that is exempt from ACLs.
func (c *Cluster) Admin() Login { return Login{adminUser, c.Password(adminUser)} }

// Password returns the password that a user is to be created with: always the
// same one for the same user and data directory. It creates nobody.
func (c *Cluster) Password(user string) string { return c.secret.password("kafka", user) }

// InterceptRegistry has f answer the registry's requests first, until it is nil.
func (c *Cluster) InterceptRegistry(f func(http.ResponseWriter, *http.Request) bool) {
	c.store.Intercept(f)
}

// Registry returns how to reach the schema registry.
func (c *Cluster) Registry() RegistryAccess {
	return RegistryAccess{URL: c.url, Admin: c.secret.credential("admin"), Reader: c.secret.credential("reader")}
}

// Dial opens a connection on the cluster's network, without TLS. It is for
// clients of a cluster in memory.
func (c *Cluster) Dial(ctx context.Context, kind, address string) (net.Conn, error) {
	return c.network.dial(ctx, kind, address)
}

// Kafka returns the brokers, to inject faults into.
func (c *Cluster) Kafka() *kfake.Cluster { return c.kafka }

// DialTLS opens a connection on the cluster's network and checks the server's
// certificate against the address.
func (c *Cluster) DialTLS(ctx context.Context, kind, address string) (net.Conn, error) {
	return c.network.dialTLS(c.TLS())(ctx, kind, address)
}
