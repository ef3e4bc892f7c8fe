package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slipway-go/slipway/diag"
)

// dress gives every command of the tree the same help and the same errors.
func dress(root *cobra.Command, a *app) {
	root.SetOut(a.sys.Out)
	root.SetErr(a.sys.Err)
	root.SetIn(a.sys.In)
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "help [COMMAND]", RunE: helpOn})
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { _, a.unhelpful = io.WriteString(a.sys.Out, help(c)) })
	each(root, func(c *cobra.Command) {
		c.Flags().SortFlags = true
		c.InitDefaultHelpFlag()
		c.Flags().Lookup("help").Usage = "show this help"
		if c.HasSubCommands() {
			c.Args = cobra.ArbitraryArgs
			c.RunE = group
		}
	})
}

// each visits a command and all below it, in order.
func each(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			each(sub, visit)
		}
	}
}

// group runs a command that only holds others.
func group(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	d := diag.New(diag.CommandUnknown, "%s has no command %q", c.CommandPath(), args[0]).
		WithFix("run %s --help to see its commands", c.CommandPath())
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		d = d.WithFix("did you mean %s %s?", c.CommandPath(), near[0])
	}
	return d
}

// helpOn is what other programs have too: help COMMAND for COMMAND --help.
func helpOn(c *cobra.Command, args []string) error {
	on, rest, err := c.Root().Find(args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return group(on, rest)
	}
	return on.Help()
}

func usage(format string, args ...any) diag.Diagnostic {
	return diag.New(diag.CommandUsage, format, args...)
}

// flagError says what is wrong with a flag, and never repeats its value.
func flagError(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(c, unknown)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usage("--%s needs a value", missing.GetFlag().Name).WithFix("run %s --help to see what it takes", c.CommandPath())
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		cause := invalid.Unwrap()
		if known := diag.Of(cause); len(known) > 0 {
			return known
		}
		kind := invalid.GetFlag().Value.Type()
		return usage("--%s: want %s", invalid.GetFlag().Name, cmp.Or(kinds[kind], kind)).
			WithFix("run %s --help to see what it takes", c.CommandPath())
	}
	return usage("%v", err)
}

// kinds are the types of flags, as their users would call them.
var kinds = map[string]string{
	"bool":     "true or false",
	"duration": "a duration such as 30s or 2m",
	"int":      "a whole number such as 8080",
}

func unknownFlag(c *cobra.Command, unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		return usage("%s has no flag -%s", c.CommandPath(), short).WithFix("run %s --help to see its flags", c.CommandPath())
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	d := usage("%s has no flag --%s", c.CommandPath(), name).WithFix("run %s --help to see its flags", c.CommandPath())
	if near := nearest(name, known); near != "" {
		d = d.WithFix("did you mean --%s?", near)
	}
	return d
}

// arguments accepts at least and at most so many, named for the message.
func arguments(least, most int, names string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage("%s needs %s", c.CommandPath(), names).WithFix("run %s --help to see an example", c.CommandPath())
		case len(args) > most:
			return usage("%s takes no %q", c.CommandPath(), args[most]).WithFix("run %s --help to see an example", c.CommandPath())
		}
		return nil
	}
}

// directory is the argument at i, or the working directory.
func directory(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return "."
}

// help is a command's whole help text.
func help(c *cobra.Command) string {
	var b strings.Builder
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n", long, usageLine(c))
	if c.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	fmt.Fprintf(&b, "\nFlags:\n%s", c.Flags().FlagUsages())
	if codes := c.Annotations["exits"]; codes != "" {
		fmt.Fprintf(&b, "\nExit codes:\n%s\n", codes)
	}
	return b.String()
}

func usageLine(c *cobra.Command) string {
	if c.HasSubCommands() {
		return c.CommandPath() + " COMMAND"
	}
	return c.UseLine()
}

// secretWords are what a flag for a secret is called, here or elsewhere.
var secretWords = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "jaas", "apikey", "api-key"}

// refuseSecrets looks for secrets among the arguments before anything parses
// them. What follows -- belongs to another program.
func refuseSecrets(args []string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		if name, ok := secretFlag(arg); ok {
			return diag.New(diag.CommandSecret, "--%s would put a secret on the command line", name)
		}
		if hasUserinfo(arg) {
			return diag.New(diag.CommandSecret, "an address on the command line holds a password")
		}
	}
	return nil
}

// secretFlag returns the name of a flag whose value would be a secret. Those
// that name files or directories are fine.
func secretFlag(arg string) (string, bool) {
	name, dashed := strings.CutPrefix(arg, "-")
	if !dashed {
		return "", false
	}
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
	lower := strings.ToLower(name)
	if lower == "secrets" || strings.HasSuffix(lower, "-file") {
		return "", false
	}
	return name, slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(lower, w) })
}

// hasUserinfo reports whether an argument is an address with a password: before
// its host, or in its query.
func hasUserinfo(arg string) bool {
	_, rest, found := strings.Cut(arg, "://")
	authority, _, _ := strings.Cut(rest, "/")
	user, _, at := strings.Cut(authority, "@")
	return found && (at && strings.Contains(user, ":") || hasPasswordQuery(rest))
}

func hasPasswordQuery(address string) bool {
	_, query, _ := strings.Cut(address, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(pair, "="); strings.HasSuffix(strings.ToLower(key), "password") {
			return true
		}
	}
	return false
}
