package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
)

// operate says how to reach a cluster that operators work on. One that others
// run is where clusters.yaml says. One that Slipway runs is found by the
// estate's directory: slipway up leaves there where it is and who may work on
// it. A credential that was given is used in place of what is found; as is the
// user's who works for service alone, the administrator if that is empty.
func (a *app) operate(ctx context.Context, w *workspace, env string, cluster *contract.Cluster, cred *credential, service string) (*endpoint, error) {
	if cluster.Name != contract.Embedded && cluster.Name != contract.Local {
		return w.endpoint(ctx, cluster, cred)
	}
	run, err := up.Find("", w.root.Name(), env)
	switch {
	case err == nil:
		return runEndpoint(run, cluster, cred, service)
	case !errors.Is(err, diag.UpNotRunning):
		return nil, err
	case a.sys.Getenv("BOOTSTRAP_SERVERS") != "":
		return a.commandEndpoint(cluster, cred)
	case cluster.Name == contract.Local:
		return localEndpoint(ctx, cluster, cred)
	}
	return nil, err
}

// runEndpoint is a cluster as a run describes it.
func runEndpoint(run *up.Operator, cluster *contract.Cluster, cred *credential, service string) (*endpoint, error) {
	ca, err := os.ReadFile(run.CA)
	if err != nil {
		return nil, diag.New(diag.CommandCredential, "read the CA of slipway up: %v", err).WithFix("run the command again; if slipway up has just ended, start it again")
	}
	at := *cluster
	at.ID, at.Bootstrap, at.Registry = run.ID, run.Bootstrap, &contract.Registry{URL: run.Registry}
	cred.registryFile = cmp.Or(cred.registryFile, run.RegistryAuth)
	if cred.user == "" && cred.cert == "" {
		login, ok := run.Redrive[service]
		if !ok {
			login = run.Admin
		}
		cred.adopt(login)
	}
	return &endpoint{&at, cred, ca}, nil
}

// adopt makes the credential a login of a run's.
func (c *credential) adopt(login up.Login) {
	c.cert, c.key = login.Cert, login.Key
	c.user, c.passwordFile = login.User, login.Password
	if login.User != "" {
		c.mechanism = string(login.Auth)
	}
}

// commandEndpoint is the cluster of a slipway up as it tells the command that
// it runs, which may work in another directory than the estate's.
func (a *app) commandEndpoint(cluster *contract.Cluster, cred *credential) (*endpoint, error) {
	at := a.sys.Getenv("BOOTSTRAP_SERVERS")
	ca, err := os.ReadFile(a.sys.Getenv("TLS_CA_PATH"))
	if err != nil {
		return nil, diag.New(diag.CommandCredential, "read the file of TLS_CA_PATH: %v", err).WithFix("run the command below slipway up -- COMMAND, which sets it")
	}
	here := *cluster
	here.Bootstrap = contract.Bootstrap{SCRAM: at, MTLS: at}
	if registry := a.sys.Getenv("SCHEMA_REGISTRY_URL"); registry != "" {
		here.Registry = &contract.Registry{URL: registry}
		cred.registryFile = cmp.Or(cred.registryFile, a.sys.Getenv("SCHEMA_REGISTRY_AUTH_PATH"))
	}
	if cred.user == "" && cred.cert == "" {
		cred.user = strings.TrimPrefix(a.sys.Getenv("ACL_PRINCIPAL"), "User:")
		cred.passwordFile = a.sys.Getenv("SASL_PASSWORD_PATH")
	}
	return &endpoint{&here, cred, ca}, nil
}

// alone is the only service that letters are of; empty if there are several.
func (l *letters) alone() string {
	for _, s := range l.sources {
		if s.Service != l.sources[0].Service {
			return ""
		}
	}
	return l.sources[0].Service
}
