package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/compat"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

type schemaRegisterArgs struct {
	target
	topics []string
	allow  []string
	dryRun bool
	yes    bool
}

func newSchemaRegisterCommand(a *app) *cobra.Command {
	var args schemaRegisterArgs
	c := &cobra.Command{
		Use:   "register [DIR] [TOPIC...]",
		Short: "Check schemas, and register those that the registry does not hold",
		Long: `Does for schemas what slipway apply does, and nothing else: it sets the
compatibility level of a topic's subject and registers the contract's schema where
the registry does not hold it, what it builds on first. TOPIC are those whose
schemas are meant, all of the estate's if none is named. Where slipway schema
check finds an error nothing is registered.

For pipelines that may write to the registry and not to the cluster. Registering
again changes nothing; the id and version of each schema are told either way. A
level that becomes laxer has to be allowed by its name, as with apply.` + registryHelp,
		Example: `  slipway schema register orders.created.v1 -e prod
  slipway schema register -e prod --yes -o json
  slipway schema register -e prod --dry-run`,
		Annotations: exits(exitOK, exitError, exitRefused, exitUsage, exitInterrupted),
		RunE: func(c *cobra.Command, rest []string) error {
			args.dir = "."
			if len(rest) > 0 && isDirectory(rest[0]) {
				args.dir, rest = rest[0], rest[1:]
			}
			args.topics = rest
			return a.schemaRun(c, &args.target, func(ctx context.Context) error { return runSchemaRegister(ctx, a, args) })
		},
	}
	registryTargetFlags(c, &args.target)
	allowFlag(c, &args.allow)
	c.Flags().BoolVar(&args.dryRun, "dry-run", false, "show what would be registered and whether it would be refused, and change nothing")
	c.Flags().BoolVarP(&args.yes, "yes", "y", false, "do not ask")
	outputFlag(c, a, view.Table, view.JSON, view.YAML, view.Name)
	return c
}

func runSchemaRegister(ctx context.Context, a *app, args schemaRegisterArgs) error {
	s, err := a.schemas(ctx, args.target, false)
	if err != nil {
		return err
	}
	defer s.Close()
	subjects, err := s.chosen(ctx, args.topics)
	if err != nil {
		return err
	}
	var names []string
	for _, one := range subjects {
		names = append(names, one.Name)
	}
	if err := a.refuse(ctx, s, subjects); err != nil {
		return err
	}
	want := s.want.OnlySubjects(names...)
	have, err := plan.ReadSubjects(ctx, want, s.registry)
	if err != nil {
		return err
	}
	p := plan.DiffSubjects(want, have)
	if args.dryRun || a.view.ForPeople() && !p.Empty() {
		if err := a.view.SchemaPlan(p); err != nil {
			return err
		}
	}
	if err := plan.Guard(p, args.allow); err != nil || args.dryRun {
		return err
	}
	if !p.Empty() && !args.yes {
		if err := a.confirm(ctx, p); err != nil {
			return err
		}
	}
	failed := plan.Register(ctx, s.registry, p, args.allow, nil)
	return errors.Join(failed, s.tell(ctx, a, want, p))
}

// chosen are the subjects of some topics, of all if none is named, with those
// of their keys.
func (s *schemaSession) chosen(ctx context.Context, topics []string) ([]compat.Subject, error) {
	all, err := s.subjects(ctx, nil)
	if err != nil || len(topics) == 0 {
		return all, err
	}
	var some []compat.Subject
	for _, topic := range topics {
		i := slices.IndexFunc(all, func(one compat.Subject) bool { return one.Topic == topic })
		if i < 0 {
			return nil, s.noTopic(topic, all)
		}
		some = append(some, all[i])
		for _, one := range all {
			if one.Topic == "" && one.Position == all[i].Position && one.Name != all[i].Name {
				some = append(some, one)
			}
		}
	}
	return some, nil
}

// refuse stops the work where a check finds an error, and tells the warnings.
func (a *app) refuse(ctx context.Context, s *schemaSession, subjects []compat.Subject) error {
	var errs, warnings diag.List
	for _, one := range subjects {
		found, err := s.judge(ctx, one)
		if err != nil {
			return err
		}
		for _, f := range found {
			if f.Severity == diag.Error {
				errs.Add(f.Diagnostic)
				continue
			}
			warnings.Add(f.Diagnostic)
		}
	}
	a.warn(warnings)
	if len(errs) > 0 {
		return errors.Join(plan.ErrRefused, errs)
	}
	return nil
}

// tell looks up what the registry has now.
func (s *schemaSession) tell(ctx context.Context, a *app, want *plan.Desired, p *plan.Plan) error {
	got := view.SchemaRegistration{Environment: want.Env, Cluster: want.Cluster}
	for _, one := range want.Subjects {
		v, err := s.held(ctx, one)
		if err != nil {
			continue // what failed has been told
		}
		isNew := slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Kind == plan.KindSchema && c.Name == one.Name })
		got.Subjects = append(got.Subjects, view.RegisteredSubject{
			Subject: one.Name, Service: one.Service, ID: v.ID, Version: v.Version, Level: string(one.Level), New: isNew,
		})
	}
	return a.view.SchemaRegistration(got)
}

// held is the version of a subject that holds the contract's schema.
func (s *schemaSession) held(ctx context.Context, one plan.Subject) (schema.Version, error) {
	source := schema.Source{Schema: one.Schema, Imports: one.Imports}
	text, err := source.Pin(ctx, s.registry, string(one.Format))
	if err != nil {
		return schema.Version{}, err
	}
	return s.registry.Find(ctx, one.Name, text)
}
