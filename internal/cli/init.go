package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/scaffold"
	"github.com/slipway-go/slipway/render/asyncapi"
)

func newInitCommand(a *app) *cobra.Command {
	var cfg scaffold.Config
	var from string
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a new service: contract, schema, program, tests",
		Long: `Writes a service into DIR, which is made if it does not exist: a commented
contract, its schema, and a program with a handler and tests that compile and
pass as they are. The last part of DIR is the service's name unless --name
gives another. Inside a Go module no go.mod is written or changed; what it needs
is among the steps that are printed.

With --from asyncapi the arguments are FILE [DIR], and only the contract is
written, with its schemas: from an AsyncAPI document in YAML or JSON, - for
stdin. One that slipway render asyncapi has made gives back the contract it was
made from. For any other one, of version 3 or 2, the contract begins with a list
of what the document leaves open. No part of it is fetched from elsewhere.

Nothing is overwritten: if one of the files exists, none is written.`,
		Example: `  slipway init hello
  slipway init services/hello-world --name hello
  slipway init hello --replace ../slipway     # build against a checkout
  slipway init --from asyncapi orders.asyncapi.yaml services/orders`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage),
		Args:        arguments(0, 2, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			if from != "" {
				return initFrom(a, c, rest)
			}
			if len(rest) > 1 {
				return usage("slipway init takes no %q", rest[1]).WithFix("name one directory; FILE [DIR] are for --from")
			}
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
	choiceFlag(c, &from, "from", "", "make the contract from a document", "asyncapi")
	c.Flags().StringVar(&cfg.Name, "name", "", "name of the service")
	c.Flags().IntVar(&cfg.Port, "port", 8080, "port the service listens on")
	c.Flags().StringVar(&cfg.Replace, "replace", "", "checkout of Slipway to build against, for builds that are not released")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// initFrom writes a contract that follows from an AsyncAPI document.
func initFrom(a *app, c *cobra.Command, rest []string) error {
	for _, flag := range []string{"name", "port", "replace"} {
		if c.Flags().Changed(flag) {
			return usage("--%s says nothing of a contract that is made from a document", flag).WithFix("leave it out")
		}
	}
	if len(rest) == 0 {
		return usage("--from asyncapi needs a file").WithFix("name the document, or - for stdin")
	}
	data, err := a.imported(rest[0])
	if err != nil {
		d := diag.Of(err)[0]
		return d.WithFix("name a file that is there and yours, or - for stdin: slipway init --from asyncapi orders.asyncapi.yaml services/orders")
	}
	draft, problems := asyncapi.Parse(rest[0], data)
	if err := problems.Err(); err != nil {
		return a.invalid(err)
	}
	a.warn(problems)
	files := make(map[string][]byte, len(draft.Files))
	for _, f := range draft.Files {
		files[f.Path] = f.Content
	}
	got, err := scaffold.WriteContract(directory(rest, 1), draft.Service, files)
	if err != nil {
		return err
	}
	if len(draft.Open) > 0 {
		got.Note = "The document leaves something open: the head of " + contract.ServiceFile + " lists what is to be decided."
	}
	return a.view.Scaffold(got)
}
