package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

func newConnectStatusCommand(a *app) *cobra.Command {
	var args connectArgs
	c := connectCommand(a, &args, &cobra.Command{
		Use:   "status [CONNECTOR...]",
		Short: "Show the tasks of connectors, and what they failed with",
		Long: `Shows the tasks of connectors with their states, the workers that run them, and
what a failed one failed with: the first line of its trace and its last cause.
Without CONNECTOR, those that the contracts declare and the workers run.`,
		Example: `  slipway connect status -e prod
  slipway connect status svc-orders-prod.orders-sink -e prod --exit-code`,
		Annotations: exits(exitOK, exitError, exitFindings, exitUsage, exitInterrupted),
	}, func(ctx context.Context, s *connectSession) error { return runConnectStatus(ctx, a, args, s) })
	c.Flags().BoolVar(&args.exitCode, "exit-code", false, "exit 2 if a connector or a task has failed, or waits for a worker")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runConnectStatus(ctx context.Context, a *app, args connectArgs, s *connectSession) error {
	all, err := s.connectors(ctx)
	if err != nil {
		return err
	}
	all, err = s.named(all, args.names)
	if err != nil {
		return err
	}
	if err := a.view.ConnectorStatus(all); err != nil {
		return err
	}
	if args.exitCode && slices.ContainsFunc(all, func(c view.Connector) bool { return !c.Healthy() }) {
		return errFindings
	}
	return nil
}
