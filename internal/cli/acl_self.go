package cli

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// runACLSelf asks the cluster as the service itself.
func runACLSelf(c *cobra.Command, a *app, args aclExplainArgs, q acl.Request) error {
	cred := &args.credential
	given := cred.user != "" || cred.cert != ""
	if a.sys.Getenv("BOOTSTRAP_SERVERS") != "" && !given {
		chosen := c.Flags().Changed("sasl-mechanism")
		return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return a.selfInPlace(ctx, args, chosen, q) })
	}
	if err := cred.fill(c, a.sys.Getenv); err != nil {
		return err
	}
	if cred.user == "" && cred.cert == "" {
		return diag.New(diag.CommandCredential, "--self has no login to be the service with").
			WithFix("run it where the service runs, with BOOTSTRAP_SERVERS and the rest set, or give the service's own certificate or user by the flags")
	}
	return a.withGroups(c.Context(), args.target, func(ctx context.Context, s *groupSession) error {
		return a.askSelf(ctx, args, s.kafka, s.resolved, s.name, q)
	})
}

// selfInPlace asks from where the service runs. There need be no contract; if
// there is one, it says how the service logs in, unless a flag was given.
func (a *app) selfInPlace(ctx context.Context, args aclExplainArgs, mechanismGiven bool, q acl.Request) error {
	e, err := a.surroundings(&args.credential)
	if err != nil {
		return err
	}
	resolved, cluster, err := a.contractsInPlace(args.target)
	if err != nil {
		return err
	}
	if kind := authOf(resolved, cluster, args.credential.user); kind != "" && !mechanismGiven {
		args.credential.mechanism = string(kind)
	}
	cfg, err := e.kafka()
	if err != nil {
		return err
	}
	k, err := kafka.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer k.Close()
	return a.askSelf(ctx, args, k, resolved, cluster, q)
}

// askSelf asks and shows the answer. The contracts may be nil.
func (a *app) askSelf(ctx context.Context, args aclExplainArgs, k *kafka.Cluster, r *contract.Resolved, cluster string, q acl.Request) error {
	names := args.credential.principals()
	if len(names) == 0 {
		return diag.New(diag.CommandCredential, "the login has no name of its own").WithFix("give a certificate or a user")
	}
	q.Principal = names[0]
	p, err := k.Authorized(ctx, acl.Resource{Type: q.ResourceType, Name: q.Name})
	if err != nil {
		return err
	}
	return a.explained(args, cluster, acl.ExplainSelf(r, cluster, q, p))
}

// authOf is how a user logs in, as its contract says; empty for a user of none.
func authOf(r *contract.Resolved, cluster, user string) contract.Auth {
	if r == nil || user == "" {
		return ""
	}
	for _, s := range r.Services {
		if s.User() == user {
			return s.AuthOn(cluster)
		}
	}
	return ""
}

// surroundings are the cluster and the login that a service process finds in
// its environment.
func (a *app) surroundings(cred *credential) (*endpoint, error) {
	env := a.sys.Getenv
	at := env("BOOTSTRAP_SERVERS")
	e := &endpoint{&contract.Cluster{Name: "of BOOTSTRAP_SERVERS", Bootstrap: contract.Bootstrap{SCRAM: at, MTLS: at, Plain: at}}, cred, nil}
	if file := env("TLS_CA_PATH"); file != "" {
		var err error
		if e.ca, err = os.ReadFile(file); err != nil {
			return nil, diag.New(diag.CommandCredential, "read the file of TLS_CA_PATH: %v", err).
				WithFix("name the file of the CA that signed the brokers' certificates")
		}
	}
	cred.passwordFile = env("SASL_PASSWORD_PATH")
	if cred.passwordFile == "" {
		cred.cert, cred.key = env("TLS_CERT_PATH"), env("TLS_KEY_PATH")
	}
	switch {
	case cred.passwordFile == "" && (cred.cert == "" || cred.key == ""):
		return nil, diag.New(diag.CommandCredential, "BOOTSTRAP_SERVERS is set without a login beside it").
			WithFix("set SASL_PASSWORD_PATH and ACL_PRINCIPAL, or TLS_CERT_PATH and TLS_KEY_PATH, as the service has them")
	case cred.passwordFile == "":
		return e, nil
	}
	if cred.user = strings.TrimPrefix(env("ACL_PRINCIPAL"), "User:"); cred.user == "" {
		return nil, diag.New(diag.CommandCredential, "SASL_PASSWORD_PATH is set without ACL_PRINCIPAL, which names the user").
			WithFix("set ACL_PRINCIPAL to User:<name>")
	}
	return e, nil
}

// contractsInPlace reads the contracts in the directory, if there are any, for
// the environment that the service runs in.
func (a *app) contractsInPlace(t target) (*contract.Resolved, string, error) {
	w, err := a.open(t.dir)
	if err != nil {
		return nil, "", err
	}
	env := t.env
	if env == "" {
		env = a.sys.Getenv("ENVIRONMENT")
	}
	resolved, err := a.resolve(w, env)
	if errors.Is(err, diag.EstateEmpty) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	cluster, err := choose(resolved, t.cluster)
	return resolved, cluster, err
}
