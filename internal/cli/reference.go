package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

// Reference is the documentation of all commands, in Markdown, made from what
// --help shows.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from `slipway --help`; run `make generate` after a change.\n\n")
	b.WriteString("The answer goes to stdout, everything else to stderr. With `-o json` or `-o yaml` both are documents with `kind` and `version`.\n")
	a := &app{view: new(view.View)}
	each(newRoot(a), func(c *cobra.Command) {
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s```\n", c.CommandPath(), help(c))
	})
	return b.String()
}
