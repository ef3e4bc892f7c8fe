package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/share"
)

func newEstateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:         "estate",
		Short:       "The contracts of other repositories",
		Example:     `  slipway estate pull`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newEstatePullCommand(a))
	return c
}

type pullArgs struct {
	dir            string
	locked, dryRun bool
	timeout        time.Duration
}

func newEstatePullCommand(a *app) *cobra.Command {
	var args pullArgs
	c := &cobra.Command{
		Use:   "pull [DIR]",
		Short: "Fetch the contracts that estate.yaml lists, and pin them",
		Long: `Fetches the contracts of other repositories that the estate.yaml in DIR lists:

  apiVersion: slipway.dev/v1
  kind: Estate
  services:
    payments: oci://registry.example.com/contracts/payments:main
    orders: git+https://git.example.com/orders.git#main:deploy

They go into ` + contract.PulledDir + `, where validate, plan, apply, explain and up find
them as if they stood in DIR, and their digests into estate.lock, which belongs
into version control. What changes is shown before anything is written. From then
on nothing needs the network: whenever the estate is read, each contract must be
the one that estate.lock names. Where DIR has a contract of one of the services
itself, that one is used.

--locked, for pipelines, fetches exactly what estate.lock names and only what is
not there, and refuses an estate.yaml that estate.lock does not follow.`,
		Example: `  slipway estate pull
  slipway estate pull --dry-run      show what has changed since
  slipway estate pull --locked       in a pipeline, before slipway plan`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return bounded(c.Context(), args.timeout, func(ctx context.Context) error { return runEstatePull(ctx, a, args) })
		},
	}
	c.Flags().BoolVar(&args.locked, "locked", false, "fetch what estate.lock names, and nothing newer")
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "show what would change and write nothing")
	timeoutFlag(c, &args.timeout, shareTimeout)
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runEstatePull(ctx context.Context, a *app, args pullArgs) error {
	w, err := a.open(args.dir)
	if err != nil {
		return err
	}
	pull := share.Pull
	if args.locked {
		pull = share.PullLocked
	}
	u, err := pull(ctx, share.Config{Getenv: a.sys.Getenv}, w.root)
	if err != nil {
		return err
	}
	if err := a.view.Pull(view.Pull{Changes: u.Changes, Moved: u.Moved(), DryRun: args.dryRun}); err != nil {
		return err
	}
	if args.dryRun {
		a.view.Note("nothing is written")
		return nil
	}
	if err := u.Write(); err != nil {
		return err
	}
	if u.Moved() {
		a.view.Note("%s is written; commit it", contract.LockFile)
	}
	return nil
}
