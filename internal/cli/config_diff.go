package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

type configDiffArgs struct{ from, to, dir string }

func newConfigDiffCommand(a *app) *cobra.Command {
	var args configDiffArgs
	c := &cobra.Command{
		Use:   "diff ENV1 ENV2 [DIR]",
		Short: "Show what two environments configure differently",
		Long: `Compares what the contract in DIR and its config/ say in two environments, and
exits 2 if a value differs. Variables are not looked at: those of this shell belong
to neither environment.`,
		Example: `  slipway config diff staging prod orders
  slipway config diff staging prod -o json`,
		Annotations: exits(exitOK, exitFindings, exitUsage),
		Args:        arguments(2, 3, "two environments, and a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.from, args.to, args.dir = rest[0], rest[1], directory(rest, 2)
			return runConfigDiff(c.Context(), a, args)
		},
	}
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runConfigDiff(ctx context.Context, a *app, args configDiffArgs) error {
	c, err := configuredIn(a, args.dir)
	if err != nil {
		return err
	}
	from, _, err := c.preview(ctx, args.from, nil, nil)
	if err != nil {
		return err
	}
	to, _, err := c.preview(ctx, args.to, nil, nil)
	if err != nil {
		return err
	}
	changes := from.Diff(to)
	if err := a.view.ConfigurationDiff(view.ConfigurationDiff{Service: c.service.Name, From: args.from, To: args.to, Changes: changes}); err != nil {
		return err
	}
	if len(changes) > 0 {
		return errFindings
	}
	return nil
}
