package cli

import "github.com/spf13/cobra"

func newLagCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "lag",
		Short: "Tell monitoring how far groups are behind",
		Long: `Tells monitoring how far consumer groups are behind, as the brokers see it: also
when the pods that would tell it themselves are dead. People read slipway group
lag.`,
		Example:     `  slipway lag export -e prod`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newLagExportCommand(a))
	return c
}
