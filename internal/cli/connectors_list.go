package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

func newConnectListCommand(a *app) *cobra.Command {
	var args connectArgs
	c := connectCommand(a, &args, &cobra.Command{
		Use:   "list",
		Short: "List the connectors, and whose they are",
		Long: `Lists every connector with its state, how many of its tasks run, and the service
whose contract declares it.`,
		Example: `  slipway connect list -e prod
  slipway connect list -e prod -o name`,
		Annotations: exits(exitOK, exitError, exitUsage, exitInterrupted),
		Args:        arguments(0, 0, "nothing"),
	}, func(ctx context.Context, s *connectSession) error {
		all, err := s.connectors(ctx)
		if err != nil {
			return err
		}
		return a.view.Connectors(all)
	})
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}
