package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/internal/secure"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

// An endpoint is a cluster with what it takes to log in to it.
type endpoint struct {
	*contract.Cluster
	credential *credential
	ca         []byte // PEM; nil means what the system trusts
}

// endpoint says how to reach a cluster of the estate, or the local Kafka that
// slipway dev runs.
func (w *workspace) endpoint(ctx context.Context, cluster *contract.Cluster, cred *credential) (*endpoint, error) {
	switch {
	case cluster.Name == contract.Local:
		return localEndpoint(ctx, cluster, cred)
	case cluster.Name == contract.Embedded:
		return nil, diag.New(diag.CommandNoCluster, "the embedded cluster lives inside slipway up and has no address of its own")
	case cluster.CA.File == "":
		return &endpoint{cluster, cred, nil}, nil
	}
	ca, err := w.read(cluster.CA.File)
	if err != nil {
		return nil, diag.New(diag.CommandCredential, "read the CA of cluster %s from %s: %v", cluster.Name, cluster.CA.File, err).
			WithFix("put the PEM file of the CA that signed the brokers' certificates there")
	}
	return &endpoint{cluster, cred, ca}, nil
}

// localEndpoint asks the running instance where it is. Its administrator's
// certificate is used unless another credential was given.
func localEndpoint(ctx context.Context, cluster *contract.Cluster, cred *credential) (*endpoint, error) {
	in, err := dev.Status(ctx, dev.Config{})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(in.Identities, func(dir string) bool { return filepath.Base(dir) == "admin" })
	if !in.Ready || i < 0 {
		return nil, diag.New(diag.CommandNoCluster, "the local Kafka does not run").WithFix("start it with slipway dev up")
	}
	file := func(name string) string { return filepath.Join(in.Identities[i], name) }
	ca, err := os.ReadFile(file(pki.AuthorityFile))
	if err != nil {
		return nil, diag.New(diag.CommandCredential, "read the CA of the local Kafka: %v", err)
	}
	at := *cluster
	at.ID, at.Bootstrap = in.ClusterID, contract.Bootstrap{MTLS: in.MTLS, SCRAM: in.SCRAM}
	at.Registry = &contract.Registry{URL: in.Registry.Address}
	if cred.user == "" && cred.cert == "" {
		cred.cert, cred.key = file(pki.CertificateFile), file(pki.KeyFile)
	}
	return &endpoint{&at, cred, ca}, nil
}

// kafka is how to log in to the brokers. Without a CA of its own a cluster is
// checked against the system's; only this machine is talked to in the clear.
func (e *endpoint) kafka() (kafka.Config, error) {
	kind, address, err := e.credential.auth(e.Cluster)
	if err != nil {
		return kafka.Config{}, err
	}
	addrs, err := auth.Addresses(address)
	if err != nil {
		return kafka.Config{}, err
	}
	cfg := kafka.Config{Bootstrap: address, Auth: kind, User: e.credential.user}
	if cfg.User != "" {
		if _, err := e.credential.password(); err != nil {
			return kafka.Config{}, err
		}
		cfg.Password = func(context.Context) (secret.Secret, error) { return e.credential.password() }
	}
	roots, err := e.roots(nil)
	if err != nil {
		return kafka.Config{}, err
	}
	certificates, err := e.credential.certificates()
	if err != nil {
		return kafka.Config{}, err
	}
	if roots != nil || certificates != nil || auth.RequireTLS(addrs, kind) != nil {
		cfg.TLS = secure.Client(roots, certificates...)
	}
	return cfg, nil
}

// registryAdmin is the cluster's schema registry with a credential that may write,
// or nil if the cluster has none.
func (e *endpoint) registryAdmin(needed bool) (plan.Registry, error) {
	if e.Registry == nil {
		return nil, nil
	}
	if needed && e.Registry.Auth == "basic" && e.credential.registryFile == "" {
		return nil, diag.New(diag.CommandCredential, "the registry of cluster %s wants a user and a password", e.Name).
			WithFix("name a file that holds user:password with --registry-auth-file")
	}
	if _, err := e.credential.registry(); err != nil {
		return nil, err
	}
	secured, err := e.beside()
	if err != nil {
		return nil, err
	}
	admin, err := schema.NewAdmin(schema.ClientConfig{URL: e.Registry.URL, Credentials: e.credential.registry, TLS: secured})
	if err != nil {
		return nil, err
	}
	return admin, nil
}

// beside is TLS for what stands beside the brokers, which is often behind another
// certificate than theirs: it trusts the system's CAs too.
func (e *endpoint) beside() (*tls.Config, error) {
	system, err := x509.SystemCertPool()
	if err != nil {
		system = x509.NewCertPool()
	}
	roots, err := e.roots(system)
	if err != nil {
		return nil, err
	}
	certificates, err := e.credential.certificates()
	if err != nil {
		return nil, err
	}
	return secure.Client(roots, certificates...), nil
}

// roots adds the cluster's CA to a pool; nil if there is neither.
func (e *endpoint) roots(pool *x509.CertPool) (*x509.CertPool, error) {
	if e.ca == nil {
		return pool, nil
	}
	if pool == nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(e.ca) {
		return nil, diag.New(diag.CommandCredential, "the CA of cluster %s holds no PEM certificate", e.Name).
			WithFix("put the PEM file of the CA that signed the brokers' certificates there")
	}
	return pool, nil
}
