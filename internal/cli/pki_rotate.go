package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/pki/depot"
)

func newPKIRotateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Renew certificates, or replace the authority, while everything runs",
		Long: `Renews certificates before they end, and replaces the authority above them in
phases, each of which can be looked at, repeated and taken back.`,
		Example: `  slipway pki rotate leaves -c kafka-prod
  slipway pki rotate ca -c kafka-prod --root /media/usb/kafka-prod`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newPKIRotateLeavesCommand(a), newPKIRotateCACommand(a))
	return c
}

// span is a flag that takes a time with days, as contracts do.
type span struct {
	flag  string
	value *time.Duration
}

func (v span) String() string {
	if v.value == nil || *v.value == 0 {
		return ""
	}
	return contract.FormatDuration(*v.value)
}

func (v span) Type() string { return "time" }

func (v span) Set(text string) error {
	d, err := contract.ParseDuration(text)
	if err != nil {
		return usage("--%s: %v", v.flag, err).WithFix("write it like 30d, 12h or 45m")
	}
	*v.value = d
	return nil
}

type pkiRotateLeavesArgs struct {
	pkiTarget
	within time.Duration
	all    bool
}

func newPKIRotateLeavesCommand(a *app) *cobra.Command {
	var args pkiRotateLeavesArgs
	c := &cobra.Command{
		Use:   "leaves",
		Short: "Renew the certificates that are near their end",
		Long: `Renews every certificate that has used up two thirds of its life, with a new key.
--within takes those that end within a time as well, --all takes all. The files of
a certificate change all at once; services of Slipway use them for their next
connection, brokers when slipway pki reload or a restart has them read again.

Made to be run by a timer: where nothing is due, nothing is done.` + pkiHelp,
		Example: `  slipway pki rotate leaves -c kafka-prod
  slipway pki rotate leaves --within 15d -c kafka-prod`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if args.all && args.within != 0 {
				return usage("--all and --within exclude each other")
			}
			return runPKIRotateLeaves(c.Context(), a, args)
		},
	}
	pkiFlags(c, &args.pkiTarget)
	c.Flags().Var(span{"within", &args.within}, "within", "also those that end within this time, such as 15d")
	c.Flags().BoolVar(&args.all, "all", false, "all of them")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runPKIRotateLeaves(ctx context.Context, a *app, args pkiRotateLeavesArgs) error {
	p, err := a.pkiPlace(args.pkiTarget)
	if err != nil {
		return err
	}
	d, _, err := p.open()
	if err != nil {
		return err
	}
	within := args.within
	if args.all {
		within = depot.RenewAll
	}
	changes, err := d.Renew(ctx, within)
	if err != nil {
		return err
	}
	if err := a.view.PKIRenewed(changes); err != nil {
		return err
	}
	var waits diag.List
	for _, c := range changes {
		if c.Action == depot.Waits {
			waits.Add(diag.Warn(diag.DepotBlocked, "%s has to be renewed by its owner, who has the key", c.ID).
				WithFix("take a new signing request from its owner to slipway pki issue %s %s --csr FILE", c.Kind, c.Name))
		}
	}
	a.warn(waits)
	return nil
}
