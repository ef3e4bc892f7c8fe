package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/connect"
)

func newConnectRestartCommand(a *app) *cobra.Command {
	var args connectArgs
	c := connectCommand(a, &args, &cobra.Command{
		Use:   "restart CONNECTOR",
		Short: "Begin a connector and its tasks anew",
		Long: `Makes the workers begin a connector and its tasks anew, with the settings it has.
With --failed only what of it has failed. What the tasks had in hand since their
last commit they do again. It is done when the workers know; slipway connect
status shows what becomes of it.`,
		Example: `  slipway connect restart svc-orders-prod.orders-sink -e prod
  slipway connect restart svc-orders-prod.orders-sink -e prod --failed -y`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(1, 1, "the name of a connector"),
	}, func(ctx context.Context, s *connectSession) error { return runConnectRestart(ctx, a, args, s) })
	c.Flags().BoolVar(&args.failed, "failed", false, "only what has failed")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runConnectRestart(ctx context.Context, a *app, args connectArgs, s *connectSession) error {
	name, extent := args.names[0], connect.Everything
	if args.failed {
		extent = connect.WhatFailed
	}
	all, err := s.connectors(ctx)
	if err != nil {
		return err
	}
	if _, err := s.named(all, args.names); err != nil {
		return err
	}
	if !args.yes {
		if err := a.ask(ctx, "a restart waits", fmt.Sprintf("Restart connector %s of cluster %s?", name, s.cluster)); err != nil {
			return err
		}
	}
	if err := s.Restart(ctx, name, extent); err != nil {
		return err
	}
	return a.view.Restarted(name, extent)
}
