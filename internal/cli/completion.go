package cli

import "github.com/spf13/cobra"

func newCompletionCommand(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	c := &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print a script that completes slipway's commands in a shell",
		Long:      "Prints a completion script for SHELL: " + join(shells) + ".",
		ValidArgs: shells,
		Example: `  source <(slipway completion bash)
  slipway completion zsh > "${fpath[1]}/_slipway"
  slipway completion fish > ~/.config/fish/completions/slipway.fish`,
		Annotations: exits(exitOK, exitUsage),
		Args:        arguments(1, 1, "a shell: "+join(shells)),
		RunE: func(c *cobra.Command, rest []string) error {
			root, out := c.Root(), a.sys.Out
			switch rest[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return usage("no completion for %q", rest[0]).WithFix("use one of %s", join(shells))
		},
	}
	return c
}
