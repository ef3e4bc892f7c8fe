package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

func newVersionCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:         "version",
		Short:       "Print the version of slipway",
		Example:     "  slipway version -o json",
		Annotations: exits(exitOK, exitUsage),
		Args:        arguments(0, 0, "no argument"),
		RunE:        func(*cobra.Command, []string) error { return a.view.Build(build()) },
	}
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

// build is what the program knows of its making.
func build() view.Build {
	b := view.Build{Slipway: develop, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Slipway = cmp.Or(info.Main.Version, develop)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// develop is the version of a build from a checkout.
const develop = "(devel)"
