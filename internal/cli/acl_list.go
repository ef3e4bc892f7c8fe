package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

const liveHelp = `

The cluster is found as plan finds it: in the estate of DIR, for the environment
-e. A running slipway up is found by that directory, and needs no login.` + administratorHelp

type aclListArgs struct {
	target
	resource  resourceArgs
	principal string
	operation string
}

func newACLListCommand(a *app) *cobra.Command {
	var args aclListArgs
	c := &cobra.Command{
		Use:   "list [DIR]",
		Short: "Show the ACLs of a cluster",
		Long: `Shows the ACLs that a cluster has, whoever made them, sorted.

--principal and the names of resources choose the ones that matter to them, as
Kafka would judge: --topic orders.created.v1 shows its own, those on prefixes it
begins with, and those on every topic; --principal shows those for everybody
too.` + liveHelp,
		Example: `  slipway acl list -e prod
  slipway acl list -e prod --topic orders.created.v1
  slipway acl list -e prod --principal svc-stock-prod -o json`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return runACLList(c.Context(), a, args)
		},
	}
	targetFlags(c, &args.target)
	resourceFlags(c, &args.resource)
	c.Flags().StringVar(&args.principal, "principal", "", "only what holds for this principal, such as svc-stock-prod")
	operationFlag(c, &args.operation, "only this operation, such as write")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runACLList(ctx context.Context, a *app, args aclListArgs) error {
	keep, err := args.filter()
	if err != nil {
		return err
	}
	return a.withLiveACLs(ctx, args.target, func(_ context.Context, s *groupSession, live []acl.Binding) error {
		return a.view.ACLs(s.name, slices.DeleteFunc(live, func(b acl.Binding) bool { return !keep(b) }))
	})
}

// filter is what the flags choose.
func (args aclListArgs) filter() (func(acl.Binding) bool, error) {
	resource, given, err := args.resource.resource()
	if err != nil {
		return nil, err
	}
	op := operationOf(args.operation)
	if args.operation != "" && op != acl.All && !known(op) {
		return nil, unknownOperation(args.operation, resourceTypes...)
	}
	principal := principalNamed(args.principal)
	return func(b acl.Binding) bool {
		return (!given || b.Matches(resource.Type, resource.Name)) &&
			(principal == "" || b.HoldsFor(principal)) && (op == "" || b.Operation == op)
	}, nil
}

// withLiveACLs logs in, reads the ACLs and runs f with them, sorted.
func (a *app) withLiveACLs(ctx context.Context, t target, f func(context.Context, *groupSession, []acl.Binding) error) error {
	return a.withGroups(ctx, t, func(ctx context.Context, s *groupSession) error {
		live, err := s.kafka.ACLs(ctx)
		if errors.Is(err, diag.KafkaDenied) {
			return diag.New(diag.ACLUnreadable, "the login may not read the ACLs of cluster %s", s.name)
		}
		if err != nil {
			return err
		}
		slices.SortFunc(live, acl.Binding.Compare)
		return f(ctx, s, live)
	})
}

// resourceArgs are the flags of which one names what rights are about.
type resourceArgs struct {
	topic, group, transactionalID string
	cluster                       bool
}

func resourceFlags(c *cobra.Command, r *resourceArgs) {
	c.Flags().StringVar(&r.topic, "topic", "", "a topic, by its name on the cluster")
	c.Flags().StringVar(&r.group, "group", "", "a consumer group")
	c.Flags().StringVar(&r.transactionalID, "transactional-id", "", "a transactional id")
	c.Flags().BoolVar(&r.cluster, "cluster-resource", false, "the cluster itself")
}

// resource returns the one that is named, if one is.
func (r resourceArgs) resource() (named acl.Resource, given bool, err error) {
	var all []acl.Resource
	for _, each := range []acl.Resource{
		{Type: acl.Topic, Name: r.topic}, {Type: acl.Group, Name: r.group}, {Type: acl.TransactionalID, Name: r.transactionalID},
	} {
		if each.Name != "" {
			all = append(all, each)
		}
	}
	if r.cluster {
		all = append(all, acl.Resource{Type: acl.Cluster, Name: acl.ClusterName})
	}
	switch len(all) {
	case 0:
		return acl.Resource{}, false, nil
	case 1:
		return all[0], true, nil
	}
	return acl.Resource{}, false, usage("a right is on one thing: --topic, --group, --transactional-id and --cluster-resource exclude each other")
}

// principalNamed gives a name the type that ACLs write before it.
func principalNamed(name string) string {
	kind, _, typed := strings.Cut(name, ":")
	if name == "" || typed && !strings.ContainsFunc(kind, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }) {
		return name
	}
	return "User:" + name
}

// operationOf is an operation as Kafka writes it.
func operationOf(text string) acl.Operation {
	return acl.Operation(strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(text)))
}

// resourceTypes are those that rights can be asked for here.
var resourceTypes = []acl.ResourceType{acl.Topic, acl.Group, acl.TransactionalID, acl.Cluster}

func known(op acl.Operation) bool {
	return slices.ContainsFunc(resourceTypes, func(kind acl.ResourceType) bool { return slices.Contains(acl.Operations(kind), op) })
}

// operationFlag takes an operation, of any case.
func operationFlag(c *cobra.Command, op *string, meaning string) {
	c.Flags().StringVar(op, "op", "", meaning)
	complete(c, "op", operationWords(resourceTypes...))
}

// operationWords are the operations on some types of resources, as users write
// them.
func operationWords(kinds ...acl.ResourceType) []string {
	var words []string
	for _, kind := range kinds {
		for _, op := range acl.Operations(kind) {
			if word := strings.ReplaceAll(strings.ToLower(string(op)), "_", "-"); !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

// unknownOperation tells what there is on types of resources.
func unknownOperation(text string, kinds ...acl.ResourceType) error {
	words, on := operationWords(kinds...), ""
	if len(kinds) == 1 {
		on = " on a " + noun(kinds[0])
	}
	d := usage("--op: there is no operation %q%s", text, on).WithFix("use one of %s", strings.Join(words, ", "))
	if near := nearest(strings.ToLower(text), words); near != "" {
		d = d.WithFix("did you mean %s?", near)
	}
	return d
}
