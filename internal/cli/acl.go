package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
)

func newACLCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "acl",
		Short: "Derive access rights from contracts, and compare them with what is",
		Long: `Access rights follow from contracts: what a service produces and consumes is all
that it may write and read. slipway apply grants them; the commands here show
them, prove them against a cluster, and explain what was denied.`,
		Example: `  slipway acl derive -e prod --why
  slipway acl bootstrap -e prod --principal User:deployer -o kafka-acls`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newACLDeriveCommand(a), newACLBootstrapCommand(a), newACLAuditCommand(a),
		newACLListCommand(a), newACLCheckCommand(a), newACLExplainCommand(a))
	return c
}

// rightsArgs says of what estate, environment and cluster rights are.
type rightsArgs struct {
	dir, env, cluster string
}

// rights returns the environment that rights are derived for, and the cluster.
// Nothing is connected to.
func (a *app) rights(args rightsArgs) (*contract.Resolved, string, error) {
	w, err := a.open(args.dir)
	if err != nil {
		return nil, "", err
	}
	resolved, err := a.resolve(w, args.env)
	if err != nil {
		return nil, "", err
	}
	cluster, err := choose(resolved, args.cluster)
	return resolved, cluster, err
}
