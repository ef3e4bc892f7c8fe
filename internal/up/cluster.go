package up

import (
	"context"
	"crypto/tls"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/schema"
)

// A cluster is what a run started: brokers and a registry, of either kind.
type cluster struct {
	access
	kafka    *kafka.Cluster
	registry *schema.Admin
	stop     func() error
}

// access is how a client reaches a cluster.
type access struct {
	bootstrap map[contract.Auth]string // by how the client logs in
	ca        []byte                   // PEM
	url       string                   // of the registry
	reader    secret.Secret            // user:password to read the registry with; empty if it asks for none
	writer    secret.Secret            // … to write to it with: for the operator, never for a service

	// certificate issues a client certificate and returns the directory with
	// its files; nil where brokers take no identity from one.
	certificate func(user string) (dir string, err error)

	admin administrator
}

// An administrator may do everything on the cluster of a run. It is known by a
// password, or by a certificate in a directory.
type administrator struct {
	user     string
	password secret.Secret
	dir      string
}

// close stops the cluster. Clients of it go first, so that they do not log in
// to what is gone.
func (c *cluster) close() error {
	c.registry.Close()
	c.kafka.Close()
	return c.stop()
}

// startEmbedded starts brokers and registry in this process. They keep nothing.
func startEmbedded(ctx context.Context) (*cluster, error) {
	e, err := embedded.Start(ctx, embedded.Config{})
	if err != nil {
		return nil, err
	}
	bootstrap, admin, registry := strings.Join(e.Bootstrap(), ","), e.Admin(), e.Registry()
	c := &cluster{
		access: access{
			bootstrap: map[contract.Auth]string{contract.SCRAMSHA256: bootstrap, contract.SCRAMSHA512: bootstrap},
			ca:        e.CA(),
			url:       registry.URL,
			reader:    secret.New(registry.Reader),
			writer:    secret.New(registry.Admin),
			admin:     administrator{user: admin.User, password: secret.New(admin.Password)},
		},
		stop: e.Close,
	}
	return c.connect(ctx, kafka.Config{
		Bootstrap: bootstrap,
		Auth:      contract.SCRAMSHA512,
		User:      admin.User,
		Password:  auth.Static(secret.New(admin.Password)),
		TLS:       e.TLS(),
	}, secret.New(registry.Admin))
}

// connect logs the run in as admin. The cluster is stopped if that fails.
func (c *cluster) connect(ctx context.Context, cfg kafka.Config, registryLogin secret.Secret) (_ *cluster, err error) {
	defer func() {
		if err != nil {
			_ = c.stop() // the reason to stop is worth more than how that went
		}
	}()
	if c.registry, err = openRegistry(c.url, cfg.TLS, registryLogin); err != nil {
		return nil, err
	}
	if c.kafka, err = kafka.Connect(ctx, cfg); err != nil {
		return nil, err
	}
	return c, nil
}

func openRegistry(url string, secured *tls.Config, login secret.Secret) (*schema.Admin, error) {
	cfg := schema.ClientConfig{URL: url, TLS: secured}
	if !login.Empty() {
		cfg.Credentials = func() (string, error) { return login.Reveal(), nil }
	}
	return schema.NewAdmin(cfg)
}

// reachRegistry asks the registry for any answer.
func (c *cluster) reachRegistry(ctx context.Context) error {
	_, err := c.registry.Subjects(ctx)
	return err
}
