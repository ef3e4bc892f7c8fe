package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

func newPKIReloadCommand(a *app) *cobra.Command {
	var args target
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the brokers read their keystores and truststores again",
		Long: `Has every broker read the files of its keystores and truststores again, without a
restart: it sets their locations to what they are, for one broker after the other,
and takes the setting back. Deliver the files first, with the names and the places
that they had. Connections that are open stay open.

Controllers cannot do that: their listeners need a restart, and so does a node that
is broker and controller before a replaced authority is retired.` + groupHelp,
		Example: `  slipway pki reload -e prod --tls-cert pki/kafka-prod/issued/admin/admin-prod/tls.crt \
    --tls-key pki/kafka-prod/issued/admin/admin-prod/tls.key`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := args.credential.fill(c, a.sys.Getenv); err != nil {
				return err
			}
			return a.withGroups(c.Context(), args, func(ctx context.Context, s *groupSession) error { return runPKIReload(ctx, a, s) })
		},
	}
	groupFlags(c, &args)
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runPKIReload(ctx context.Context, a *app, s *groupSession) error {
	all, err := s.kafka.Reload(ctx)
	if err != nil {
		return err
	}
	rows := make([]view.PKIReload, len(all))
	var faults diag.List
	for i, r := range all {
		rows[i] = view.PKIReload{Broker: int(r.Broker), Listeners: r.Listeners, Result: "asked to read again"}
		if r.Err != nil {
			rows[i].Result = "refused"
			faults.Add(diag.New(diag.DepotReload, "broker %d did not read its files again: %s", r.Broker, short(r.Err)))
		}
	}
	if err := a.view.PKIReloaded(rows); err != nil {
		return fmt.Errorf("show what was done: %w", err)
	}
	return faults.Err()
}
