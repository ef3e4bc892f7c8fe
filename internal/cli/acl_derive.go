package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type aclDeriveArgs struct {
	rightsArgs
	services []string
	why      bool
}

func newACLDeriveCommand(a *app) *cobra.Command {
	var args aclDeriveArgs
	c := &cobra.Command{
		Use:   "derive [DIR]",
		Short: "Show the rights that the contracts call for, and why",
		Long: `Shows the access rights that follow from the contracts in DIR, for one
environment on one cluster: what each service needs, and nothing beyond. No
cluster is asked. slipway apply grants these; slipway acl check compares them
with what a cluster has.

For those who grant rights otherwise:
  -o kafka-acls   commands for kafka-acls.sh, quoted so that they can be pasted;
                  BOOTSTRAP_SERVERS and ADMIN_CONFIG (a properties file) say
                  where to and as whom
  -o strimzi      KafkaUser objects (kafka.strimzi.io/v1), for the Kafka that is
                  called as the cluster is in clusters.yaml`,
		Example: `  slipway acl derive -e prod --why
  slipway acl derive -e prod --service inventory -o json
  slipway acl derive -e prod -o strimzi > users.yaml`,
		Annotations: exits(exitOK, exitError, exitUsage),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(_ *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return runACLDerive(a, args)
		},
	}
	environmentFlag(c, &args.env)
	clusterFlag(c, &args.cluster)
	c.Flags().StringArrayVar(&args.services, "service", nil, "only the rights that this service's contract calls for; may be repeated")
	c.Flags().BoolVar(&args.why, "why", false, "tell the contract entries that each right follows from; JSON and YAML always do")
	rightsFlag(c, a)
	return c
}

func rightsFlag(c *cobra.Command, a *app) {
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name, view.KafkaACLs, view.Strimzi)
}

func runACLDerive(a *app, args aclDeriveArgs) error {
	resolved, cluster, err := a.rights(args.rightsArgs)
	if err != nil {
		return err
	}
	if err := acl.Conflicts(acl.Derive(resolved)).Err(); err != nil {
		return err
	}
	grants, err := grantsOf(resolved, args.services)
	if err != nil {
		return err
	}
	grants = slices.DeleteFunc(grants, func(g acl.Grant) bool { return g.Cluster != cluster })
	return a.grants(resolved, view.Grants{
		Environment: resolved.Env, Cluster: cluster, Grants: grants, Why: args.why || a.view.Format == view.Wide,
	})
}

// grantsOf are the grants of an estate; only those that some services need, for
// these services' reasons, if some are named.
func grantsOf(r *contract.Resolved, services []string) ([]acl.Grant, error) {
	grants := acl.Derive(r)
	if len(services) == 0 {
		return grants, nil
	}
	known := make([]string, len(r.Services))
	for i, svc := range r.Services {
		known[i] = svc.Name
	}
	for _, name := range services {
		if slices.Contains(known, name) {
			continue
		}
		d := usage("--service: the estate has no service %q", name).WithFix("its services are %s", strings.Join(known, ", "))
		if near := nearest(name, known); near != "" {
			d = d.WithFix("did you mean %s?", near)
		}
		return nil, d
	}
	var some []acl.Grant
	for _, g := range grants {
		g.Reasons = slices.DeleteFunc(g.Reasons, func(why acl.Reason) bool { return !slices.Contains(services, why.Service) })
		if len(g.Reasons) > 0 {
			some = append(some, g)
		}
	}
	return some, nil
}

// grants shows rights in the form that was asked for.
func (a *app) grants(r *contract.Resolved, g view.Grants) error {
	switch a.view.Format {
	case view.KafkaACLs:
		bindings := make([]acl.Binding, len(g.Grants))
		for i, one := range g.Grants {
			bindings[i] = one.Binding
		}
		lines, err := acl.KafkaACLs(bindings)
		if err != nil {
			return err
		}
		return a.view.Commands(lines)
	case view.Strimzi:
		users, problems := acl.KafkaUsers(r, g.Cluster, g.Grants)
		if err := problems.Err(); err != nil {
			return err
		}
		a.warn(problems)
		return a.view.KafkaUsers(users)
	default:
		return a.view.Grants(g)
	}
}
