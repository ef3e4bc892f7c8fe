package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/principal"
	"github.com/slipway-go/slipway/pki/depot"
)

type pkiRevokeArgs struct {
	target  // its environment and cluster are also those of the PKI
	pki     string
	targets []string
	reason  string
	deny    bool
	lift    bool
	yes     bool
}

// reasons are what --reason takes; only a hold can be lifted.
var reasons = []string{
	depot.Unspecified.String(), depot.KeyLeaked.String(), depot.Superseded.String(), depot.Ceased.String(), depot.Hold.String(),
}

func newPKIRevokeCommand(a *app) *cobra.Command {
	var args pkiRevokeArgs
	c := &cobra.Command{
		Use:   "revoke KIND/NAME|SERIAL...",
		Short: "Revoke certificates, and have brokers refuse their principal",
		Long: `Puts certificates on the authority's revocation list. Services and listeners of
Slipway refuse them as soon as they have the new ca.crl, on resumed sessions too.

Kafka's brokers read no revocation lists: they accept the certificate until it
ends. --deny adds ACLs that deny its principal everything, on all connections at
once; the holder of the same principal's next certificate is denied as well, until
the ACLs are deleted again (slipway apply --allow delete:acl/User:NAME). Super users
are asked no ACLs. What ends a certificate for brokers without harm to its service
is slipway pki rotate ca.

Says what was done and what remains open. A revocation is final; one with --reason
certificateHold can be lifted with --lift.` + pkiHelp + `

--deny logs in to the cluster of -e as administrator.` + administratorHelp,
		Example: `  slipway pki revoke client/svc-orders-prod --reason keyCompromise -c kafka-prod
  slipway pki revoke client/svc-orders-prod --reason keyCompromise --deny -e prod
  slipway pki revoke 5f2a90c1d4 --reason superseded -c kafka-prod`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        cobra.MinimumNArgs(0),
		RunE: func(c *cobra.Command, rest []string) error {
			args.targets = rest
			if err := args.check(); err != nil {
				return err
			}
			if args.deny {
				if err := args.credential.fill(c, a.sys.Getenv); err != nil {
					return err
				}
			}
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runPKIRevoke(ctx, a, args) })
		},
	}
	groupFlags(c, &args.target)
	depotFlag(c, &args.pki)
	choiceFlag(c, &args.reason, "reason", reasons[0], "why, in the words of RFC 5280", reasons...)
	c.Flags().BoolVar(&args.deny, "deny", false, "add ACLs that deny the principal everything")
	c.Flags().BoolVar(&args.lift, "lift", false, "take certificates that are on hold off the list again")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func (args pkiRevokeArgs) check() error {
	switch {
	case len(args.targets) == 0:
		return usage("a certificate is needed").WithFix("name it as slipway pki status does, such as client/svc-orders-prod, or by its serial number")
	case args.lift && args.deny:
		return usage("--lift and --deny exclude each other").WithFix("ACLs are deleted by slipway apply --allow delete:acl/User:NAME")
	case args.deny && args.env == "":
		return usage("--deny needs an environment").WithFix("name it with -e: it says which cluster the ACLs are for")
	}
	return nil
}

func runPKIRevoke(ctx context.Context, a *app, args pkiRevokeArgs) error {
	p, err := a.pkiPlace(pkiTarget{args.dir, args.env, args.cluster, args.pki})
	if err != nil {
		return err
	}
	d, s, err := p.open()
	if err != nil {
		return err
	}
	if args.lift {
		return a.lift(ctx, p, d, args.targets)
	}
	reason, err := depot.ParseReason(args.reason)
	if err != nil {
		return usage("--reason: %v", err).WithFix("use one of %s", strings.Join(reasons, ", "))
	}
	leaves, err := named(s, args.targets)
	if err != nil {
		return err
	}
	bindings, err := p.denials(leaves, args)
	if err != nil {
		return err
	}
	if err := a.revokable(ctx, leaves, bindings, args); err != nil {
		return err
	}
	changes, err := d.Revoke(ctx, reason, args.targets...)
	if err != nil {
		return err
	}
	r := revocation{p, args, leaves, bindings}
	told := r.told(changes)
	if args.deny {
		denied := a.deny(ctx, args.target, bindings)
		r.afterDeny(&told, denied)
		if denied != nil {
			if err := a.view.PKIRevoked(told); err != nil {
				return err
			}
			return denied
		}
	}
	return a.view.PKIRevoked(told)
}

// named are the leaves in use that targets name. A serial number of one that
// is not in use any more is for the depot to find.
func named(s depot.Status, targets []string) ([]depot.Leaf, error) {
	var leaves []depot.Leaf
	for _, t := range targets {
		serial, isSerial := depot.ParseSerial(t)
		i := slices.IndexFunc(s.Leaves, func(l depot.Leaf) bool { return l.ID.String() == t || isSerial && l.Serial == serial })
		if i >= 0 {
			leaves = append(leaves, s.Leaves[i])
			continue
		}
		if strings.Contains(t, "/") {
			var known []string
			for _, l := range s.Leaves {
				known = append(known, l.ID.String())
			}
			d := diag.New(diag.DepotUnknown, "there is no certificate %s", t)
			if near := nearest(t, known); near != "" {
				d = d.WithFix("did you mean %s?", near)
			}
			return nil, d
		}
		if !isSerial {
			return nil, diag.New(diag.DepotUnknown, "%q is no serial number and no KIND/NAME", t).
				WithFix("slipway pki status shows what there is, and -o json the serial numbers too")
		}
	}
	return leaves, nil
}

// denials are the ACLs that deny the principals of leaves everything.
func (p *pkiPlace) denials(leaves []depot.Leaf, args pkiRevokeArgs) ([]acl.Binding, error) {
	if !args.deny {
		return nil, nil
	}
	if len(leaves) < len(args.targets) {
		return nil, diag.New(diag.DepotDeny, "a serial number of a certificate that is not in use names no principal").WithFix("name it by KIND/NAME, or leave out --deny")
	}
	rules, err := principal.Parse(p.cluster.PKI.Principals)
	if err != nil {
		return nil, err
	}
	var all []acl.Binding
	for _, l := range leaves {
		if l.Kind == depot.Broker || l.Kind == depot.Controller {
			return nil, diag.New(diag.DepotDeny, "%s is a node, and nodes are super users", l.ID)
		}
		name, err := rules.Apply("CN=" + l.Name)
		if err != nil {
			return nil, err
		}
		for _, kind := range []acl.ResourceType{acl.Topic, acl.Group, acl.TransactionalID, acl.Cluster} {
			b := acl.Binding{Principal: "User:" + name, ResourceType: kind, Name: "*", Pattern: acl.Literal, Operation: "ALL", Permission: acl.Deny, Host: acl.AnyHost}
			if kind == acl.Cluster {
				b.Name = "kafka-cluster"
			}
			all = append(all, b)
		}
	}
	slices.SortFunc(all, acl.Binding.Compare)
	return slices.Compact(all), nil
}

// revokable asks whether that is meant: neither can be undone from here.
func (a *app) revokable(ctx context.Context, leaves []depot.Leaf, bindings []acl.Binding, args pkiRevokeArgs) error {
	if args.yes {
		return nil
	}
	for _, l := range leaves {
		a.view.Note("%s, serial %s, valid until %s", l.ID, l.Serial, l.NotAfter.UTC().Format(time.RFC3339))
	}
	for _, b := range bindings {
		a.view.Note("  %s", b)
	}
	return a.ask(ctx, count(len(args.targets), "revocation waits", "revocations wait"),
		fmt.Sprintf("Revoke %s?", strings.Join(args.targets, ", ")))
}

// lift takes certificates that were on hold off the list.
func (a *app) lift(ctx context.Context, p *pkiPlace, d *depot.Depot, targets []string) error {
	changes, err := d.Unrevoke(ctx, targets...)
	if err != nil {
		return err
	}
	return a.view.PKIRevoked(view.PKIRevoked{Changes: changes, Done: []string{
		"The revocation list in " + filepath.Join(p.dir, "issued") + " is new; deliver ca.crl to everybody.",
	}, Open: []string{"ACLs that deny the principal stay: slipway plan lists them, slipway apply --allow delete:acl/User:NAME deletes them."}})
}

// deny adds ACLs to the cluster of a target.
func (a *app) deny(ctx context.Context, t target, bindings []acl.Binding) error {
	s, err := a.groups(ctx, t)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, b := range bindings {
		if slices.Contains(s.kafka.Principals(), b.Principal) {
			return diag.New(diag.DepotDeny, "%s is who this command logs in as", b.Principal).WithFix("log in as another administrator")
		}
	}
	for i, err := range s.kafka.Grant(ctx, bindings) {
		if err != nil {
			return fmt.Errorf("add %s: %w", bindings[i], err)
		}
	}
	return nil
}

// A revocation is what a command revokes, for telling.
type revocation struct {
	*pkiPlace
	args     pkiRevokeArgs
	leaves   []depot.Leaf
	bindings []acl.Binding
}

// told is what the revocation list does, and what it does not.
func (r revocation) told(changes []depot.Change) view.PKIRevoked {
	told := view.PKIRevoked{Changes: changes}
	if slices.ContainsFunc(changes, func(c depot.Change) bool { return c.Action == depot.Kept }) {
		told.Done = append(told.Done, "What is kept was on the revocation list before.")
	}
	told.Done = append(told.Done, "The revocation list beside every certificate in "+filepath.Join(r.dir, "issued")+" names it. Services and listeners of Slipway refuse it once ca.crl is delivered, on resumed sessions too.")
	var end time.Time
	for _, c := range changes {
		if c.Ends.After(end) {
			end = c.Ends
		}
	}
	told.Open = append(told.Open, "Brokers read no revocation lists: they accept the certificate until "+end.UTC().Format(time.RFC3339)+".")
	if r.args.deny {
		return told
	}
	told.Open = append(told.Open,
		"To end that sooner: --deny -e ENV refuses the principal at once, with every certificate it has; slipway pki rotate ca ends the certificate itself, and its service goes on with a new one.")
	for _, l := range r.leaves {
		if l.Kind == depot.Client {
			told.Open = append(told.Open, "To go on, "+l.Name+" needs another certificate: slipway pki issue client "+l.Name+".")
		}
	}
	return told
}

func (r revocation) afterDeny(told *view.PKIRevoked, err error) {
	var principals []string
	for _, b := range r.bindings {
		if !slices.Contains(principals, b.Principal) {
			principals = append(principals, b.Principal)
		}
	}
	if err != nil {
		told.Open = append(told.Open, "No or not all ACLs were added: brokers do not yet refuse "+strings.Join(principals, ", ")+". Run the command again.")
		return
	}
	for _, b := range r.bindings {
		told.Denied = append(told.Denied, b.String())
	}
	told.Done = append(told.Done, count(len(r.bindings), "ACL denies ", "ACLs deny ")+strings.Join(principals, ", ")+" everything on cluster "+r.name()+", on connections that are open too.")
	for _, p := range principals {
		told.Open = append(told.Open, p+" is denied with every certificate, a new one included. To lift it: slipway apply -e "+r.args.env+" --allow delete:acl/"+p+"; slipway plan lists it until then.")
	}
	told.Open = append(told.Open, "If the principal is one of super.users, brokers ask no ACLs: take it out there.")
}
