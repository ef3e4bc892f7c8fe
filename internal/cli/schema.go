package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/compat"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
)

const registryHelp = `

The registry is the one that clusters.yaml names for the environment's cluster; a
cluster that slipway up runs is found by the estate's directory. The credential is
a file with user:password, or a client certificate; what no flag gives is taken
from SLIPWAY_REGISTRY_AUTH_FILE, SLIPWAY_TLS_CERT, SLIPWAY_TLS_KEY. No broker is
asked.`

func newSchemaCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "schema",
		Short: "Change schemas without breaking anyone, and generate Go from them",
		Long: `Schemas are files beside the contracts that name them. The commands here judge a
changed one before it is registered, against the versions that the registry holds
and against everyone in the estate who reads it; they register it, and write the
Go types that hold its values. docs/schema-changes.md walks through a change.`,
		Example: `  slipway schema check -e prod
  slipway schema gen --service inventory`,
		Annotations: exits(exitOK, exitUsage),
	}
	c.AddCommand(newSchemaCheckCommand(a), newSchemaDiffCommand(a), newSchemaRegisterCommand(a), newSchemaGenCommand(a))
	return c
}

// registryFlags are those of a target of which only the registry is asked.
var registryFlags = []string{"registry-auth-file", "tls-cert", "tls-key"}

func registryTargetFlags(c *cobra.Command, t *target) {
	environmentFlag(c, &t.env)
	clusterFlag(c, &t.cluster)
	timeoutFlag(c, &t.timeout, planTimeout)
	for _, v := range credentialVariables {
		if slices.Contains(registryFlags, v.flag) {
			c.Flags().StringVar(v.field(&t.credential), v.flag, "", v.meaning+" (or "+v.variable+")")
		}
	}
}

// fillRegistry takes from the environment what no flag gave.
func (t *target) fillRegistry(c *cobra.Command, getenv func(string) string) error {
	t.credential.take(getenv, registryFlags...)
	t.credential.stdin = &stdin{from: c.InOrStdin()}
	return t.credential.check()
}

// A schemaSession is the schemas of an estate on one cluster, and its registry.
type schemaSession struct {
	estate   *contract.Resolved
	want     *plan.Desired
	registry *schema.Admin // nil if it is not to be asked
}

// schemas opens the estate of a target, and its registry unless it is to be left
// alone.
func (a *app) schemas(ctx context.Context, t target, offline bool) (*schemaSession, error) {
	w, resolved, name, err := a.aim(t)
	if err != nil {
		return nil, err
	}
	want, err := plan.Derive(resolved, name)
	if err != nil || offline {
		return &schemaSession{estate: resolved, want: want}, err
	}
	e, err := a.operate(ctx, w, resolved.Env, resolved.Cluster(name), &t.credential, "")
	if errors.Is(err, diag.UpNotRunning) {
		e, err = w.endpoint(ctx, resolved.Cluster(name), &t.credential)
	}
	if err != nil {
		return nil, err
	}
	a.warn(t.credential.exposed())
	registry, err := e.registryAdmin(true)
	if err != nil {
		return nil, err
	}
	admin, ok := registry.(*schema.Admin)
	if !ok {
		return nil, diag.New(diag.PlanNoRegistry, "cluster %s of environment %s has no schema registry", name, resolved.Env)
	}
	return &schemaSession{resolved, want, admin}, nil
}

func (s *schemaSession) Close() {
	if s.registry != nil {
		s.registry.Close()
	}
}

// subjects are those of the cluster with what the contracts say of them, those
// of some services if any are named. What a schema builds on and only the
// registry has is fetched.
func (s *schemaSession) subjects(ctx context.Context, services []string) ([]compat.Subject, error) {
	described, err := s.described()
	if err != nil {
		return nil, err
	}
	var all []compat.Subject
	for _, want := range s.want.Subjects {
		if len(services) > 0 && !slices.Contains(services, want.Service) {
			continue
		}
		one := compat.Subject{
			Name: want.Name, Level: want.Level, Position: want.Reasons[0].Position,
			Schema: compat.Schema{Format: string(want.Format), Source: schema.Source{Schema: want.Schema, Imports: want.Imports}},
		}
		if of, ok := described[want.Name]; ok {
			one.Topic, one.Key, one.Message = of.topic.Name, of.topic.Key.Field, of.topic.Schema.Message
		}
		for _, r := range want.Readers {
			one.Consumers = append(one.Consumers, compat.Consumer{
				Service: r.Service, Position: r.Position,
				Schema: compat.Schema{Format: string(want.Format), Source: schema.Source{Schema: r.Schema, Imports: r.Imports, Message: r.Message}},
			})
		}
		if err := s.complete(ctx, &one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// complete fetches what a subject's schemas build on and only the registry has.
func (s *schemaSession) complete(ctx context.Context, one *compat.Subject) (err error) {
	if s.registry == nil {
		return nil
	}
	if one.Source, err = one.Source.Complete(ctx, s.registry); err != nil {
		return err
	}
	for i := range one.Consumers {
		c := &one.Consumers[i]
		if c.Source, err = c.Source.Complete(ctx, s.registry); err != nil {
			return err
		}
	}
	return nil
}

// A described topic is one with a schema.
type describedTopic struct {
	service *contract.Service
	topic   *contract.Topic
}

// described are the topics of the cluster that have a schema, by the subject of
// their values.
func (s *schemaSession) described() (map[string]describedTopic, error) {
	all := map[string]describedTopic{}
	for _, svc := range s.estate.Services {
		for name, t := range svc.Topics {
			if t.Schema == nil || s.estate.ClusterName(t.Cluster) != s.want.Cluster {
				continue
			}
			prefix := s.estate.PhysicalTopic(t.Cluster, "")
			source, err := schema.SourceOf(svc, t.Schema, prefix)
			if err != nil {
				return nil, err
			}
			subject, err := plan.SubjectName(t.Schema.Format, t.Schema.Subject, prefix, name, source)
			if err != nil {
				return nil, err
			}
			all[subject] = describedTopic{svc, t}
		}
	}
	return all, nil
}

// of returns the subject of a topic's values.
func (s *schemaSession) of(ctx context.Context, topic string) (compat.Subject, error) {
	all, err := s.subjects(ctx, nil)
	if err != nil {
		return compat.Subject{}, err
	}
	i := slices.IndexFunc(all, func(one compat.Subject) bool { return one.Topic == topic })
	if i < 0 {
		return compat.Subject{}, s.noTopic(topic, all)
	}
	return all[i], nil
}

func (s *schemaSession) noTopic(topic string, all []compat.Subject) error {
	var topics []string
	for _, one := range all {
		if one.Topic != "" {
			topics = append(topics, one.Topic)
		}
	}
	d := diag.New(diag.SchemaNoTopic, "no contract here owns a topic %q with a schema", topic)
	if near := nearest(topic, topics); near != "" {
		d = d.WithFix("did you mean %s?", near)
	}
	return d
}

// history are the versions of a subject, ascending, each with what it builds on.
func (s *schemaSession) history(ctx context.Context, subject compat.Subject) ([]compat.Version, error) {
	numbers, err := s.registry.Versions(ctx, subject.Name)
	if err != nil {
		return nil, err
	}
	all := make([]compat.Version, len(numbers))
	for i, n := range numbers {
		if all[i], err = s.version(ctx, subject, n); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *schemaSession) version(ctx context.Context, subject compat.Subject, number int) (compat.Version, error) {
	v, err := s.registry.Version(ctx, subject.Name, number)
	if err != nil {
		return compat.Version{}, err
	}
	source, err := schema.Resolve(ctx, s.registry, v.Text)
	if err != nil {
		return compat.Version{}, err
	}
	source.Message = subject.Message
	return compat.Version{Number: number, Schema: compat.Schema{Format: v.Format, Source: source}}, nil
}

// schemaRun is a command that works on the registry of a target.
func (a *app) schemaRun(c *cobra.Command, t *target, run func(context.Context) error) error {
	if err := t.fillRegistry(c, a.sys.Getenv); err != nil {
		return err
	}
	return bounded(c.Context(), t.timeout, run)
}
