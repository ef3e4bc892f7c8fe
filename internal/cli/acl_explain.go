package cli

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type aclExplainArgs struct {
	target
	resource  resourceArgs
	as        string
	operation string
	host      string
	self      bool
	exitCode  bool
}

func newACLExplainCommand(a *app) *cobra.Command {
	var args aclExplainArgs
	c := &cobra.Command{
		Use:   "explain [DIR]",
		Short: "Say whether a principal may do something, and why or why not",
		Long: `Says whether --as may do --op to a topic, a group, a transactional id or the
cluster, which ACL decides that, which ones come near, which line of which
contract calls for it or would, and what clients see where Kafka's error names
something else. Nothing is tried: the ACLs are read, and judged as Kafka's
StandardAuthorizer does. Who is among the brokers' super.users may do everything
and is not known to ACLs.

Without --host the client's address does not matter, and ACLs for single
addresses are told as near misses.

With --self it asks as the service itself, with the service's own login and no
further rights: the cluster tells every client of its own. The login is taken
from the service's own surroundings (BOOTSTRAP_SERVERS, TLS_CA_PATH,
TLS_CERT_PATH, TLS_KEY_PATH, ACL_PRINCIPAL, SASL_PASSWORD_PATH), or from the
flags below, and contracts are used if there are any. Of a transactional id only
DESCRIBE can be proven so: whatever would prove more fences the producer that
uses it, and is never sent.` + liveHelp,
		Example: `  slipway acl explain -e prod --as svc-stock-prod --op write --topic stock.changed.v1
  slipway acl explain -e prod --as svc-stock-prod --op read --group svc-stock-prod
  slipway acl explain --self --op write --topic stock.changed.v1 --exit-code`,
		Annotations: exits(exitOK, exitError, exitFindings, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return runACLExplain(c, a, args)
		},
	}
	targetFlags(c, &args.target)
	resourceFlags(c, &args.resource)
	c.Flags().StringVar(&args.as, "as", "", "the principal, such as svc-stock-prod or User:CN=stock")
	operationFlag(c, &args.operation, "the operation, such as read, write or describe-configs")
	c.Flags().StringVar(&args.host, "host", "", "the client's IP address, as brokers see it")
	c.Flags().BoolVar(&args.self, "self", false, "ask as the service itself, with its own login")
	c.Flags().BoolVar(&args.exitCode, "exit-code", false, "exit 2 if it is refused, or cannot be proven")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runACLExplain(c *cobra.Command, a *app, args aclExplainArgs) error {
	q, err := args.request()
	if err != nil {
		return err
	}
	if args.self {
		return runACLSelf(c, a, args, q)
	}
	if err := args.credential.fill(c, a.sys.Getenv); err != nil {
		return err
	}
	return a.withLiveACLs(c.Context(), args.target, func(_ context.Context, s *groupSession, live []acl.Binding) error {
		return a.explained(args, s.name, acl.Explain(s.resolved, s.name, acl.NewRules(live), q))
	})
}

// explained shows an explanation and makes it the command's status.
func (a *app) explained(args aclExplainArgs, cluster string, e acl.Explanation) error {
	if err := a.view.ACLExplanation(cluster, e); err != nil {
		return err
	}
	if e.Outcome == acl.Unknown {
		a.warn(diag.List{diag.Warn(diag.ACLUnproven, "%s on %s %s is not proven", e.Request.Operation, e.Request.ResourceType, e.Request.Name)})
	}
	if args.exitCode && e.Outcome != acl.Allowed {
		return errFindings
	}
	return nil
}

// request is what the flags ask, every fault of them at once.
func (args aclExplainArgs) request() (acl.Request, error) {
	var faults diag.List
	resource, given, err := args.resource.resource()
	switch {
	case err != nil:
		faults = append(faults, diag.Of(err)...)
	case !given:
		faults.Add(usage("nothing is named that the right is on").WithFix("name one of --topic, --group, --transactional-id, --cluster-resource"))
	case resource.Name == "*":
		faults.Add(usage("a right is asked for on one %s, by its name", noun(resource.Type)).WithFix("name one that exists, or would"))
	}
	op := operationOf(args.operation)
	switch {
	case op == "":
		faults.Add(usage("--op is missing: what shall be done?").WithFix("name an operation, such as --op read"))
	case given && !slices.Contains(acl.Operations(resource.Type), op):
		faults = append(faults, diag.Of(unknownOperation(args.operation, resource.Type))...)
	}
	faults = append(faults, args.who()...)
	host, err := hostOf(args.host)
	faults = append(faults, diag.Of(err)...)
	return acl.Request{Principal: principalNamed(args.as), Host: host, Operation: op, ResourceType: resource.Type, Name: resource.Name}, faults.Err()
}

// who judges the flags that say who asks.
func (args aclExplainArgs) who() diag.List {
	switch {
	case args.self && args.as != "":
		return diag.List{usage("--self and --as exclude each other: a cluster tells a client of its own rights only")}
	case args.self && args.host != "":
		return diag.List{usage("--self and --host exclude each other: the cluster sees where this client is")}
	case !args.self && args.as == "":
		return diag.List{usage("--as is missing: who asks?").WithFix("name a principal with --as, or ask as the service itself with --self")}
	case principalNamed(args.as) == acl.AnyUser:
		return diag.List{usage("--as takes one principal").WithFix("slipway acl list --principal %q shows what is for everybody", acl.AnyUser)}
	}
	return nil
}

// hostOf is an address as brokers write it into what they compare with: IPv6
// in eight groups, none left out.
func hostOf(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return "", usage("--host: %q is no IP address", text).WithFix("give the address that brokers see, such as 10.20.0.7; they know clients by no name")
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String(), nil
	}
	b := addr.As16()
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = fmt.Sprintf("%x", int(b[2*i])<<8|int(b[2*i+1]))
	}
	return strings.Join(groups, ":"), nil
}

// noun is a resource type in a sentence.
func noun(kind acl.ResourceType) string {
	return strings.ReplaceAll(strings.ToLower(string(kind)), "_", " ")
}
