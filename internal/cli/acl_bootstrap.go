package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type aclBootstrapArgs struct {
	rightsArgs
	principal string
	duty      string
	why       bool
}

func newACLBootstrapCommand(a *app) *cobra.Command {
	var args aclBootstrapArgs
	c := &cobra.Command{
		Use:   "bootstrap [DIR] --principal PRINCIPAL",
		Short: "Show the rights that whoever plans and applies needs",
		Long: `Shows the rights that a principal needs to plan and apply the contracts in DIR on
one cluster, and nothing that it can do without. A super user grants them once,
usually by -o kafka-acls; from then on slipway needs no super user.

  --for plan      plan, drift and acl check: it reads, and changes nothing
  --for apply     apply as well
  --for delete    apply --allow delete:… as well, for what no contract declares

Topics are named, so an estate that gets a topic of its own, or a service, needs
this again. Whoever applies can grant rights, and so to itself too: keep its
credential like that of a super user.`,
		Example: `  slipway acl bootstrap -e prod --principal User:deployer -o kafka-acls
  slipway acl bootstrap -e prod --principal User:drift --for plan --why`,
		Annotations: exits(exitOK, exitError, exitUsage),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(_ *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return runACLBootstrap(a, args)
		},
	}
	environmentFlag(c, &args.env)
	clusterFlag(c, &args.cluster)
	c.Flags().StringVar(&args.principal, "principal", "", "who plans and applies, as Kafka calls it: User:deployer")
	choiceFlag(c, &args.duty, "for", string(acl.Applying), "what it shall be able to do", string(acl.Planning), string(acl.Applying), string(acl.Deleting))
	c.Flags().BoolVar(&args.why, "why", false, "tell what each right is for; JSON and YAML always do")
	rightsFlag(c, a)
	return c
}

func runACLBootstrap(a *app, args aclBootstrapArgs) error {
	if err := checkPrincipal(args.principal); err != nil {
		return err
	}
	resolved, cluster, err := a.rights(args.rightsArgs)
	if err != nil {
		return err
	}
	for _, svc := range resolved.Services {
		if args.principal == svc.Principal() || args.principal == svc.RedrivePrincipal() {
			return usage("--principal: %s is the principal of service %s, and no service applies contracts", args.principal, svc.Name).
				WithFix("give whoever applies a login of its own, such as User:deployer")
		}
	}
	return a.grants(resolved, view.Grants{
		Environment: resolved.Env, Cluster: cluster, Why: args.why || a.view.Format == view.Wide,
		Grants: acl.Bootstrap(resolved, cluster, args.principal, acl.Duty(args.duty)),
	})
}

// checkPrincipal judges a principal that is to be given rights.
func checkPrincipal(principal string) error {
	user, typed := strings.CutPrefix(principal, "User:")
	switch {
	case principal == "":
		return usage("--principal is missing").WithFix("name who plans and applies, such as --principal User:deployer")
	case !typed && !strings.Contains(principal, ":"):
		return usage("--principal: %q has no type", principal).WithFix("write User:%s", principal)
	case !typed || user == "":
		return usage("--principal: %q is no user", principal).WithFix("write it as Kafka's logs do, such as User:deployer")
	case user == "*" || user == "ANONYMOUS":
		return usage("--principal: %s is anybody", principal).WithFix("give whoever applies a login of its own, such as User:deployer")
	}
	return nil
}
