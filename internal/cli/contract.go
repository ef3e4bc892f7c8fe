package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
)

func newContractCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:         "contract",
		Short:       "What a contract may say, and giving it to others",
		Example:     `  slipway contract schema > slipway.schema.json`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newContractSchemaCommand(a), newContractPublishCommand(a))
	return c
}

func newContractSchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of slipway.yaml",
		Long: `Prints the JSON Schema of slipway.yaml, so that editors complete and check it.
With the YAML language server, put this line on top of a contract:

  # yaml-language-server: $schema=slipway.schema.json`,
		Example:     `  slipway contract schema > slipway.schema.json`,
		Annotations: exits(exitOK, exitUsage),
		Args:        arguments(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.sys.Out.Write(contract.JSONSchema())
			return err
		},
	}
}
