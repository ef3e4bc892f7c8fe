package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/compat"
	"github.com/slipway-go/slipway/plan"
)

type schemaCheckArgs struct {
	target
	services        []string
	offline, strict bool
}

func newSchemaCheckCommand(a *app) *cobra.Command {
	var args schemaCheckArgs
	c := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Judge every schema: alone, against the registry's versions, and for who reads it",
		Long: `Judges the schemas of the contracts in DIR, field by field:
  alone       that it can be parsed, that the key is one of its fields, and that
              no money is kept in floating point (a warning)
  history     that a schema that is not registered may follow the versions that
              the registry holds, under the contract's compatibility level: the
              newest one, or all of them if the level is transitive
  consumers   that every service of the estate, and every reader in external.yaml,
              that reads with a schema of its own can read what the owner will
              write, and what was written with each version

Each finding tells who could not read what, and what to change. Exits 2 if there
is one; with --strict, warnings count. --offline asks no registry: then only the
files are judged. Nothing is changed anywhere.` + registryHelp,
		Example: `  slipway schema check -e prod
  slipway schema check --offline --strict        before a commit
  slipway schema check -e prod --service orders -o json`,
		Annotations: exits(exitOK, exitError, exitFindings, exitUsage, exitInterrupted),
		Args:        arguments(0, 1, "no more than a directory"),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = directory(rest, 0)
			return a.schemaRun(c, &args.target, func(ctx context.Context) error { return runSchemaCheck(ctx, a, args) })
		},
	}
	registryTargetFlags(c, &args.target)
	c.Flags().BoolVar(&args.offline, "offline", false, "ask no registry")
	c.Flags().StringArrayVar(&args.services, "service", nil, "only the schemas that this service owns; may be repeated")
	c.Flags().BoolVar(&args.strict, "strict", false, "warnings are findings: exit 2 if there is one")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runSchemaCheck(ctx context.Context, a *app, args schemaCheckArgs) error {
	s, err := a.schemas(ctx, args.target, args.offline)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.known(args.services); err != nil {
		return err
	}
	subjects, err := s.subjects(ctx, args.services)
	if err != nil {
		return err
	}
	got := view.SchemaCheck{Environment: s.estate.Env, Cluster: s.want.Cluster, Offline: args.offline, Checked: len(subjects)}
	for _, one := range subjects {
		found, err := s.judge(ctx, one)
		if err != nil {
			return err
		}
		got.Findings = append(got.Findings, found...)
	}
	if err := a.view.SchemaCheck(got); err != nil {
		return err
	}
	if grave(got.Findings) > 0 || args.strict && len(got.Findings) > 0 {
		return errFindings
	}
	return nil
}

// grave counts the findings that are no warnings.
func grave(found []compat.Finding) int {
	n := 0
	for _, f := range found {
		if f.Severity == diag.Error {
			n++
		}
	}
	return n
}

// known refuses services that the estate does not have.
func (s *schemaSession) known(services []string) error {
	var all []string
	for _, svc := range s.estate.Services {
		all = append(all, svc.Name)
	}
	for _, name := range services {
		if !slices.Contains(all, name) {
			return diag.New(diag.PlanUnknownName, "the estate has no service %q", name).WithFix("use one of %s", strings.Join(all, ", "))
		}
	}
	return nil
}

// judge finds all that is wrong with one subject.
func (s *schemaSession) judge(ctx context.Context, one compat.Subject) ([]compat.Finding, error) {
	found, sound := one.Lint()
	if !sound {
		return found, nil
	}
	var history []compat.Version
	if s.registry != nil {
		var err error
		if history, err = s.history(ctx, one); err != nil {
			return nil, err
		}
		have, err := plan.ReadSubjects(ctx, s.want.OnlySubjects(one.Name), s.registry)
		if err != nil {
			return nil, err
		}
		if state := have.Subjects[one.Name]; !state.Registered {
			refused, err := one.Follow(history, state.Incompatible)
			if err != nil {
				return nil, err
			}
			found = append(found, refused...)
		}
	}
	unread, err := one.Read(history)
	return append(found, unread...), err
}
