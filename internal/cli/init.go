package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/scaffold"
)

func newInitCommand(a *app) *cobra.Command {
	var cfg scaffold.Config
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a new service: contract, schema, program, tests",
		Long: `Writes a service into DIR, which is made if it does not exist: a commented
contract, its schema, and a program with a handler and tests that compile and
pass as they are. The last part of DIR is the service's name unless --name
gives another. Inside a Go module no go.mod is written or changed; what it needs
is among the steps that are printed.

Nothing is overwritten: if one of the files exists, none is written.`,
		Example: `  slipway init hello
  slipway init services/hello-world --name hello
  slipway init hello --replace ../slipway     build against a checkout`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(_ *cobra.Command, rest []string) error {
			if cfg.Port < 1 || cfg.Port > 65535 {
				return usage("--port is %d", cfg.Port).WithFix("use a port from 1 to 65535")
			}
			cfg.Dir, cfg.Version = directory(rest, 0), build().Slipway
			got, err := scaffold.Write(cfg)
			if err != nil {
				return err
			}
			return a.view.Scaffold(got)
		},
	}
	c.Flags().StringVar(&cfg.Name, "name", "", "name of the service")
	c.Flags().IntVar(&cfg.Port, "port", 8080, "port the service listens on")
	c.Flags().StringVar(&cfg.Replace, "replace", "", "checkout of Slipway to build against, for builds that are not released")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}
