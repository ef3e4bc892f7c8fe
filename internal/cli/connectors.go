package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/plan"
)

const connectHelp = `

Kafka Connect is found by connect/url of the cluster in the clusters.yaml of
--dir, for the environment -e. Nobody logs in to the brokers for it. Where it
wants a user and a password, --connect-auth-file (or SLIPWAY_CONNECT_AUTH_FILE)
names the file that holds user:password.`

func newConnectCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "connect",
		Short: "Look at the connectors of Kafka Connect, and restart them",
		Long: `Shows what the workers of Kafka Connect run. What a service's connectors are told
stands in its slipway.yaml and gets there by slipway apply, which lets the plugin
judge it first.`,
		Example: `  slipway connect list -e prod
  slipway connect restart svc-orders-prod.orders-sink -e prod --failed`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newConnectListCommand(a), newConnectStatusCommand(a), newConnectRestartCommand(a))
	return c
}

type connectArgs struct {
	target
	names    []string
	exitCode bool
	failed   bool
	yes      bool
}

// connectFlags are those of a command that talks to Kafka Connect alone: of the
// credential it takes what a worker may want.
func connectFlags(c *cobra.Command, t *target) {
	c.Flags().StringVar(&t.dir, "dir", ".", "directory of the estate")
	environmentFlag(c, &t.env)
	clusterFlag(c, &t.cluster)
	timeoutFlag(c, &t.timeout, groupTimeout)
	for _, v := range credentialVariables {
		if slices.Contains([]string{"tls-cert", "tls-key", connectAuthFlag}, v.flag) {
			c.Flags().StringVar(v.field(&t.credential), v.flag, "", v.meaning+" (or "+v.variable+")")
		}
	}
}

// connectCommand is what all of them have in common.
func connectCommand(a *app, args *connectArgs, c *cobra.Command, run func(context.Context, *connectSession) error) *cobra.Command {
	c.Long += connectHelp
	c.RunE = func(c *cobra.Command, rest []string) error {
		args.names = rest
		args.credential.take(a.sys.Getenv, "tls-cert", "tls-key", connectAuthFlag)
		if err := args.credential.check(); err != nil {
			return err
		}
		return bounded(c.Context(), args.timeout, func(ctx context.Context) error {
			s, err := a.workers(ctx, args.target)
			if err != nil {
				return err
			}
			defer s.Close()
			return run(ctx, s)
		})
	}
	connectFlags(c, &args.target)
	return c
}

// A connectSession is a client of a cluster's Kafka Connect, and what the
// contracts say of it.
type connectSession struct {
	*connect.Client
	cluster  string
	services map[string]string // connector → service
}

// workers finds the Kafka Connect of a target.
func (a *app) workers(ctx context.Context, t target) (*connectSession, error) {
	w, err := a.open(t.dir)
	if err != nil {
		return nil, err
	}
	resolved, err := a.resolve(w, t.env)
	if err != nil {
		return nil, err
	}
	name, err := choose(resolved, t.cluster)
	if err != nil {
		return nil, err
	}
	cluster := resolved.Cluster(name)
	if cluster.Connect == nil {
		return nil, diag.New(diag.ConnectMissing, "cluster %s has no Kafka Connect", name)
	}
	e, err := w.endpoint(ctx, cluster, &t.credential)
	if err != nil {
		return nil, err
	}
	a.warn(t.credential.exposed())
	client, err := e.connectClient()
	if err != nil {
		return nil, err
	}
	s := &connectSession{client, name, map[string]string{}}
	for _, svc := range resolved.Services {
		for _, c := range svc.Connectors {
			if resolved.ClusterName(c.Cluster) == name {
				s.services[svc.ConnectorName(c)] = svc.Name
			}
		}
	}
	return s, nil
}

// connectors are all that the workers run, sorted by name.
func (s *connectSession) connectors(ctx context.Context) ([]view.Connector, error) {
	all, err := s.Connectors(ctx)
	if err != nil {
		return nil, err
	}
	list := []view.Connector{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, view.Connector{Connector: all[name], Service: s.services[name]})
	}
	return list, nil
}

// named picks connectors; without names those of the contracts.
func (s *connectSession) named(all []view.Connector, names []string) ([]view.Connector, error) {
	some := []view.Connector{}
	for _, c := range all {
		if slices.Contains(names, c.Name) || len(names) == 0 && c.Service != "" {
			some = append(some, c)
		}
	}
	var missing []string
	for _, name := range names {
		if !slices.ContainsFunc(some, func(c view.Connector) bool { return c.Name == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, diag.New(diag.ConnectUnknown, "Kafka Connect of cluster %s does not run %s", s.cluster, strings.Join(missing, ", "))
	}
	return some, nil
}

// connectAdmin is the Kafka Connect of a cluster for plan and apply; nil if it
// has none.
func (e *endpoint) connectAdmin() (plan.Connect, error) {
	if e.Connect == nil {
		return nil, nil
	}
	client, err := e.connectClient()
	if err != nil {
		return nil, err
	}
	return client, nil
}

// connectClient is the Kafka Connect of a cluster.
func (e *endpoint) connectClient() (*connect.Client, error) {
	if _, err := e.credential.connect(); err != nil {
		return nil, err
	}
	secured, err := e.beside()
	if err != nil {
		return nil, err
	}
	return connect.New(connect.Config{URL: e.Connect.URL, Credentials: e.credential.connect, TLS: secured})
}
