package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/pki/depot"
	"github.com/slipway-go/slipway/plan"
)

type pkiRotateCAArgs struct {
	pkiTarget
	root
	next, back, status, yes bool
	to                      string
	issuer, unconstrained   bool
	from                    []string
	request                 string
	skip                    bool
	source                  string // of the passphrase of --from
}

func newPKIRotateCACommand(a *app) *cobra.Command {
	var args pkiRotateCAArgs
	c := &cobra.Command{
		Use:   "ca",
		Short: "Replace the authority in phases, without a failed request",
		Long: `Takes the place of a cluster's authority in phases. In each, files are delivered
and brokers read them again (slipway pki reload, or a rolling restart); then --next.

  trust     a new authority is made and trusted beside the old one, which still
            issues. Needs the root's key or a medium for a new one: --root or
            --root-passphrase-file. --issuer replaces the issuer alone, under the same
            root; --from brings an existing authority; --request has the
            organisation's sign the new issuer.
  reissue   the new authority issues, and every certificate is its own. Before, each
            endpoint must accept a certificate of the new authority.
  retire    the old authority is not trusted any more. Before, each endpoint must
            present a certificate of the new one, and nothing that was issued may
            still be of the old one.

Without a flag it begins, or finishes the phase that was begun. --next goes on to
the following phase, --back returns to the one before, until retire; --to names the
phase that is meant, so that a script can repeat it. Every change of phase asks.
What was cut short at any point, by kill -9 too, is finished by the same command.

The endpoints are those of bootstrap in clusters.yaml and the brokers that they
tell of. What only their owners can renew is listed. --skip-endpoints goes on
without looking at endpoints.` + pkiHelp,
		Example: `  slipway pki rotate ca -c kafka-prod --root /media/usb/kafka-prod
  slipway pki rotate ca -c kafka-prod --next
  slipway pki rotate ca -c kafka-prod --back
  slipway pki rotate ca -c kafka-prod --status`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := args.check(); err != nil {
				return err
			}
			return runPKIRotateCA(c.Context(), a, c, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	rootFlags(c, &args.root)
	c.Flags().BoolVar(&args.next, "next", false, "go on to the following phase")
	c.Flags().BoolVar(&args.back, "back", false, "return to the phase before")
	c.Flags().StringVar(&args.to, "to", "", "with --next or --back: the phase that is meant; nothing happens if it is reached")
	c.Flags().BoolVar(&args.status, "status", false, "show how far the replacement is, and what stands in the way")
	c.Flags().BoolVar(&args.issuer, "issuer", false, "replace the issuer alone, under the same root")
	c.Flags().BoolVar(&args.unconstrained, "unconstrained", false, "let the new issuer sign for any host")
	c.Flags().StringArrayVar(&args.from, "from", nil, "file or directory of an existing authority that is to be the new one; may be repeated")
	c.Flags().StringVar(&args.source, "passphrase-file", "", "file, env:NAME or - with the passphrase of that authority's key")
	c.Flags().StringVar(&args.request, "request", "", "write a signing request for the new issuer to this file")
	c.Flags().BoolVar(&args.skip, "skip-endpoints", false, "do not look at the cluster's endpoints before a phase")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.JSON, view.YAML)
	return c
}

func (args *pkiRotateCAArgs) check() error {
	given := 0
	for _, flag := range []bool{args.next, args.back, args.status, len(args.from) > 0, args.request != ""} {
		if flag {
			given++
		}
	}
	switch {
	case given > 1:
		return usage("--next, --back, --status, --from and --request exclude each other")
	case args.to != "" && !args.next && !args.back:
		return usage("--to is given without --next or --back")
	case args.to != "" && !slices.Contains(phases, args.to):
		return usage("--to: there is no phase %q", args.to).WithFix("use one of %s", join(phases))
	case (args.next || args.back || args.status) && (args.root.dir != "" || args.root.source != "" || args.issuer):
		return usage("--root, --root-passphrase-file and --issuer belong to the first step, which has neither --next nor --back")
	}
	return nil
}

// phases are those that --to can name.
var phases = []string{string(depot.Trust), string(depot.Reissue), string(depot.Retire), string(depot.Steady)}

func runPKIRotateCA(ctx context.Context, a *app, c *cobra.Command, args pkiRotateCAArgs) error {
	p, err := a.pkiPlace(args.pkiTarget)
	if err != nil {
		return err
	}
	d, s, err := p.open()
	if err != nil {
		return err
	}
	r := &replacement{app: a, pkiPlace: p, depot: d, status: s, args: args}
	switch {
	case args.status:
		return r.tell(ctx)
	case args.next, args.back:
		return r.step(ctx)
	}
	return r.begin(ctx, c)
}

// A replacement is one command's part in replacing an authority.
type replacement struct {
	*app
	*pkiPlace
	depot  *depot.Depot
	status depot.Status
	args   pkiRotateCAArgs
}

// begin makes the next generation, or finishes what was begun.
func (r *replacement) begin(ctx context.Context, c *cobra.Command) error {
	if r.status.Phase != depot.Steady {
		return r.settle(ctx)
	}
	if r.args.request != "" {
		return r.requested(r.pkiPlace, r.args.request, func() ([]byte, error) {
			return r.depot.BeginRequest(ctx, r.policy(r.args.unconstrained, r.status.Leaves))
		})
	}
	next, err := r.successor(c)
	if err != nil {
		return err
	}
	if err := r.agreed(ctx, depot.Trust); err != nil {
		return err
	}
	progress, err := r.depot.Begin(ctx, next)
	if err != nil {
		return err
	}
	return r.took(progress)
}

// successor is what takes the place of the authority.
func (r *replacement) successor(c *cobra.Command) (depot.Replacement, error) {
	next := depot.Replacement{Policy: r.policy(r.args.unconstrained, r.status.Leaves), KeepRoot: r.args.issuer}
	if len(r.args.from) > 0 {
		phrase, err := r.app.passphrase(c, r.args.source, "passphrase-file")
		if err == nil {
			next.From, err = importAuthority(r.args.from, phrase)
		}
		return next, err
	}
	if err := errors.Join(r.args.root.fill(r.app, c), r.args.root.apart(r.dir)); err != nil {
		return next, err
	}
	next.RootKey = r.args.root.key()
	return next, nil
}

// settle finishes the present phase and goes no further.
func (r *replacement) settle(ctx context.Context) error {
	if r.status.Settled {
		next, _ := depot.Following(r.status.Phase)
		r.view.Note("The phase %s is complete. Once its files are everywhere: slipway pki rotate ca --next --to %s%s", r.status.Phase, next, r.flags())
		return r.tell(ctx)
	}
	progress, err := r.depot.Next(ctx, depot.Step{To: r.status.Phase, Probe: r.probe()})
	if err != nil {
		return blocked(err)
	}
	return r.took(progress)
}

// step goes one phase on or back.
func (r *replacement) step(ctx context.Context) error {
	next, back := depot.Following(r.status.Phase)
	to, move := next, r.depot.Next
	if r.args.back {
		to, move = back, r.depot.Back
	}
	if !r.status.Settled && r.args.next {
		to = r.status.Phase
	}
	to = cmp.Or(depot.Phase(r.args.to), to)
	if to == "" && r.status.Phase == depot.Steady {
		return diag.New(diag.DepotPhase, "no replacement of the authority is under way").
			WithFix("slipway pki rotate ca --root DIR%s begins one", r.flags())
	}
	step := depot.Step{To: to, Probe: r.probe()}
	if r.args.next && to != r.status.Phase {
		if err := r.objections(ctx, step); err != nil {
			return err
		}
	}
	if to != r.status.Phase {
		if err := r.agreed(ctx, to); err != nil {
			return err
		}
	}
	progress, err := move(ctx, step)
	if err != nil {
		return blocked(err)
	}
	return r.took(progress)
}

// objections refuses a step before anybody is asked about it.
func (r *replacement) objections(ctx context.Context, step depot.Step) error {
	found, err := r.depot.Objections(ctx, step)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return blocked(&depot.BlockedError{To: step.To, Objections: found})
	}
	return nil
}

// blocked tells each objection as a problem of its own.
func blocked(err error) error {
	b, ok := errors.AsType[*depot.BlockedError](err)
	if !ok {
		return err
	}
	var list diag.List
	for _, o := range b.Objections {
		d := diag.New(diag.DepotBlocked, "%s stands in the way of %s: %s", o.What, b.To, o.Why)
		if o.Fix != "" {
			d = d.WithFix("%s", o.Fix)
		}
		list.Add(d)
	}
	return errors.Join(plan.ErrRefused, list.Err())
}

// agreed asks about a change of phase.
func (r *replacement) agreed(ctx context.Context, to depot.Phase) error {
	if r.args.yes {
		return nil
	}
	what := map[depot.Phase]string{
		depot.Trust:   "has everybody trust a new authority beside the old one, which goes on issuing",
		depot.Reissue: fmt.Sprintf("issues %s again, by the new authority", count(len(r.status.Leaves), "certificate", "certificates")),
		depot.Retire:  "ends the trust in the old authority. There is no way back from it",
		depot.Steady:  "gives up the authority that was to come",
	}[to]
	if to == depot.Steady && r.status.Phase == depot.Retire {
		what = "finishes the replacement"
	}
	r.view.Note("%s → %s %s.", r.status.Phase, to, what)
	return r.ask(ctx, fmt.Sprintf("the step to %s waits", to), fmt.Sprintf("Take the PKI of %s to %s?", r.status.Cluster, to))
}

// took shows a step, and what people have to do before the next.
func (r *replacement) took(p depot.Progress) error {
	if err := r.view.PKIStep(r.pkiPlace.step(p)); err != nil {
		return err
	}
	if p.To == depot.Trust && r.args.root.dir != "" {
		r.view.Note("\nThe new root's key is in %s: take it away now.", r.args.root.dir)
	}
	return nil
}

// step is progress with what comes next.
func (p *pkiPlace) step(done depot.Progress) view.PKIStep {
	s := view.PKIStep{Cluster: p.name(), Progress: done}
	arg := p.flags()
	deliver := fmt.Sprintf("deliver %s/issued/KIND/NAME to everybody, programs of others included", p.dir)
	read := "have the brokers read their files again: slipway pki reload" + p.estateFlags() + ", or a rolling restart; controllers need the restart"
	switch done.To {
	case depot.Trust:
		s.Next = []string{deliver + ": each ca.crt now holds both roots", read, "slipway pki rotate ca --next --to reissue" + arg}
	case depot.Reissue:
		s.Next = []string{deliver + ": each has a new certificate", read, "wait until no service uses an old one (its GET /slipway/v1/credential tells)", "slipway pki rotate ca --next --to retire" + arg}
	case depot.Steady:
		if len(done.Changes) > 0 || done.From != done.To {
			s.Next = []string{deliver + ": each ca.crt holds one root", read, "services of Slipway end connections that were made with what is no longer trusted by themselves; other programs need a restart"}
		}
	}
	return s
}

// tell shows the depot and what stands in the way of the next phase.
func (r *replacement) tell(ctx context.Context) error {
	if err := r.pkiStatus(r.pkiPlace, r.depot); err != nil {
		return err
	}
	next, _ := depot.Following(r.status.Phase)
	if next == "" || r.status.Phase == depot.Steady || r.view.Documents() {
		return nil
	}
	found, err := r.depot.Objections(ctx, depot.Step{To: next, Probe: r.probe()})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		r.view.Note("\nNothing stands in the way of %s.", next)
	}
	for _, o := range found {
		r.view.Note("\n%s stands in the way of %s: %s", o.What, next, o.Why)
	}
	return nil
}
