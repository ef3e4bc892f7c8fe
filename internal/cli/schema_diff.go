package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/compat"
)

type schemaDiffArgs struct {
	target
	topic    string
	from, to string
	exitCode bool
}

// latestVersion is the word for a subject's newest version.
const latestVersion = "latest"

func newSchemaDiffCommand(a *app) *cobra.Command {
	var args schemaDiffArgs
	c := &cobra.Command{
		Use:   "diff TOPIC [DIR]",
		Short: "Show which fields of a topic's schema came, went and changed",
		Long: `Compares the schema that the registry holds for a topic with the one in the
contract, or two versions with each other, field by field: what was added,
removed or renamed, and of the others the type, the default, the rules and the
documentation. What that means for readers is told by slipway schema check.` + registryHelp,
		Example: `  slipway schema diff orders.created.v1 -e prod                 the newest version and the contract's
  slipway schema diff orders.created.v1 -e prod --version 1 --to 3
  slipway schema diff orders.created.v1 -e prod --exit-code     exits 2 if they differ`,
		Annotations: exits(exitOK, exitError, exitFindings, exitUsage, exitInterrupted),
		Args:        arguments(1, 2, "a topic"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.topic, args.dir = rest[0], directory(rest, 1)
			for flag, text := range map[string]string{"version": args.from, "to": args.to} {
				if n, err := strconv.Atoi(text); text != "" && text != latestVersion && (err != nil || n < 1) {
					return usage("--%s: %q is no version", flag, text).WithFix("use a number from 1 on, or latest")
				}
			}
			return a.schemaRun(c, &args.target, func(ctx context.Context) error { return runSchemaDiff(ctx, a, args) })
		},
	}
	registryTargetFlags(c, &args.target)
	c.Flags().StringVar(&args.from, "version", latestVersion, "the version before: a number, or latest")
	c.Flags().StringVar(&args.to, "to", "", "the version after: a number, or latest; the contract's file if left out")
	c.Flags().BoolVar(&args.exitCode, "exit-code", false, "exit 2 if they differ")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runSchemaDiff(ctx context.Context, a *app, args schemaDiffArgs) error {
	s, err := a.schemas(ctx, args.target, false)
	if err != nil {
		return err
	}
	defer s.Close()
	subject, err := s.of(ctx, args.topic)
	if err != nil {
		return err
	}
	got := view.SchemaDiff{Environment: s.estate.Env, Topic: args.topic, Subject: subject.Name, To: "the contract"}
	before, err := s.pick(ctx, subject, args.from)
	if err != nil {
		return err
	}
	got.From = fmt.Sprintf("version %d", before.Number)
	after := subject.Schema
	if args.to != "" {
		v, err := s.pick(ctx, subject, args.to)
		if err != nil {
			return err
		}
		after, got.To = v.Schema, fmt.Sprintf("version %d", v.Number)
	}
	if got.Changes, err = compat.Diff(before.Schema, after); err != nil {
		return diag.New(diag.SchemaInvalid, "compare the schemas of %s: %v", args.topic, err)
	}
	if err := a.view.SchemaDiff(got); err != nil {
		return err
	}
	if args.exitCode && len(got.Changes) > 0 {
		return errFindings
	}
	return nil
}

// pick is the version that a flag names.
func (s *schemaSession) pick(ctx context.Context, subject compat.Subject, which string) (compat.Version, error) {
	numbers, err := s.registry.Versions(ctx, subject.Name)
	if err != nil {
		return compat.Version{}, err
	}
	if len(numbers) == 0 {
		return compat.Version{}, diag.New(diag.SchemaNoVersion, "subject %s has no version yet", subject.Name)
	}
	number := numbers[len(numbers)-1]
	if which != latestVersion {
		number, _ = strconv.Atoi(which) // checked when it was parsed
	}
	if !slices.Contains(numbers, number) {
		return compat.Version{}, diag.New(diag.SchemaNoVersion, "subject %s has no version %d", subject.Name, number).
			WithFix("use one of %s, or latest", strings.Trim(fmt.Sprint(numbers), "[]"))
	}
	return s.version(ctx, subject, number)
}
