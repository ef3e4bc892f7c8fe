package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/internal/cli/view"
)

// The flags that several commands share have one name, one shorthand and one
// meaning; a command has those that apply to it.

func outputFlag(c *cobra.Command, a *app, formats ...view.Format) {
	c.Flags().VarP(&outputValue{a.view, formats}, "output", "o", "form of the answer: "+join(formats))
	complete(c, "output", formats)
}

func environmentFlag(c *cobra.Command, env *string) {
	c.Flags().StringVarP(env, "env", "e", "", "environment, as in clusters.yaml; may be left out if there is only one")
}

func clusterFlag(c *cobra.Command, cluster *string) {
	c.Flags().StringVarP(cluster, "cluster", "c", "", "cluster, as in clusters.yaml; may be left out if the environment has only one")
}

func timeoutFlag(c *cobra.Command, timeout *time.Duration, usual time.Duration) {
	c.Flags().DurationVar(timeout, "timeout", usual, "how long the whole command may take")
}

// outputValue sets the view's format while flags are parsed, so that what is
// wrong with later ones is told in it too.
type outputValue struct {
	view    *view.View
	formats []view.Format
}

func (v *outputValue) String() string {
	if v.view == nil || v.view.Format == "" {
		return string(view.Table)
	}
	return string(v.view.Format)
}

func (v *outputValue) Type() string { return "format" }

func (v *outputValue) Set(text string) error {
	if !slices.Contains(v.formats, view.Format(text)) {
		return usage("--output: no format %q", text).WithFix("use one of %s", join(v.formats))
	}
	v.view.Format = view.Format(text)
	return nil
}

// choice is a flag that takes one of a few words.
type choice struct {
	flag  string
	value *string
	words []string
}

func (v choice) String() string {
	if v.value == nil {
		return ""
	}
	return *v.value
}

func (v choice) Type() string { return "word" }

func (v choice) Set(text string) error {
	if !slices.Contains(v.words, text) {
		return usage("--%s: there is no %q", v.flag, text).WithFix("use one of %s", join(v.words))
	}
	*v.value = text
	return nil
}

func choiceFlag(c *cobra.Command, value *string, name, usual, meaning string, words ...string) {
	*value = usual
	c.Flags().Var(choice{name, value, words}, name, meaning+": "+join(words))
	complete(c, name, words)
}

// complete offers the words to the shell.
func complete[S ~string](c *cobra.Command, flag string, words []S) {
	var offers []cobra.Completion
	for _, w := range words {
		offers = append(offers, cobra.Completion(w))
	}
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(offers, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("cli: " + err.Error())
	}
}

func join[S ~string](words []S) string {
	text := make([]string, len(words))
	for i, w := range words {
		text[i] = string(w)
	}
	return strings.Join(text, ", ")
}
