package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
)

type configShowArgs struct {
	dir     string
	env     string
	set     []string
	changed bool
	source  bool
}

func newConfigShowCommand(a *app) *cobra.Command {
	var args configShowArgs
	c := &cobra.Command{
		Use:   "show [DIR]",
		Short: "Show every value that a service started here would have",
		Long: `Shows the effective value of every key of the service whose slipway.yaml is in
DIR, as the service would have it if it were started by this shell: from the
contract, from config/ beside it, from the directory that CONFIG_PATH names, and
from variables. Sources that only the program knows, such as Vault, are not asked.
Secrets are shown as ***.

Without --env the variable ENVIRONMENT chooses, as it does for the service.`,
		Example: `  slipway config show orders -e prod
  slipway config show orders -e prod --changed --source     what is not a default, and why
  slipway config show -e dev --set kafka.consumer.rate=2k/s
  slipway config show -e prod -o json`,
		Annotations: exits(exitOK, exitUsage),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return runConfigShow(c.Context(), a, args)
		},
	}
	c.Flags().StringVarP(&args.env, "env", "e", "", "environment; may be left out if ENVIRONMENT names it, or there is only one")
	c.Flags().BoolVar(&args.changed, "changed", false, "leave out what is a default")
	c.Flags().BoolVar(&args.source, "source", false, "tell where each value is from")
	c.Flags().StringArrayVar(&args.set, "set", nil, "key=value above all variables; may be given several times")
	outputFlag(c, a, view.Table, view.Wide, view.JSON, view.YAML, view.Name)
	return c
}

func runConfigShow(ctx context.Context, a *app, args configShowArgs) error {
	c, err := configuredIn(a, args.dir)
	if err != nil {
		return err
	}
	env, err := c.environment(args.env, a.sys.Getenv)
	if err != nil {
		return err
	}
	set, err := settings(c, args.set)
	if err != nil {
		return err
	}
	v, missing, err := c.preview(ctx, env, a.sys.Environ, set)
	if err != nil {
		return err
	}
	a.warn(append(v.Warnings(), warned(missing)...))
	shown := view.Configuration{Service: c.service.Name, Environment: env, Hash: v.Hash(), Sources: args.source}
	for _, one := range v.All() {
		if !args.changed || !one.Default {
			shown.Values = append(shown.Values, one)
		}
	}
	return a.view.Configuration(shown)
}

// warned makes warnings of what keeps a service from starting: what this shell
// lacks may be at hand where the service runs.
func warned(list diag.List) diag.List {
	for i := range list {
		list[i].Severity = diag.Warning
	}
	return list
}
