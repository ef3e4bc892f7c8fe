package slipwaytest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
)

// externalPartitions is how many partitions topics of other owners get.
const externalPartitions = 3

// topic is what the kit knows of a topic, to write to it and to read it.
type topic struct {
	format   contract.Format // empty for opaque bytes
	source   schema.Source
	strategy contract.SubjectStrategy
	key      contract.Key
	mark     schema.Mark // of values
	keys     schema.Mark // of keys, where they have a schema
}

// apply makes the cluster what the contracts call for.
func (k *Kit) apply() {
	k.t.Helper()
	resolved := k.resolve()
	want, err := plan.Derive(resolved, contract.Embedded)
	if err != nil {
		k.t.Fatalf("derive what the contracts call for:\n%v", err)
	}
	access := k.cluster.Registry()
	k.registry, err = schema.NewAdmin(schema.ClientConfig{
		URL: access.URL, TLS: k.cluster.TLS(), Dial: k.cluster.Dial,
		Credentials: func() (string, error) { return access.Admin, nil },
	})
	if err != nil {
		k.t.Fatal(err)
	}
	login := k.cluster.Admin()
	k.admin, err = kafka.Connect(k.t.Context(), kafka.Config{
		Bootstrap: strings.Join(k.cluster.Bootstrap(), ","), Auth: contract.SCRAMSHA512, User: login.User,
		Password: auth.Static(secret.New(login.Password)), TLS: k.cluster.TLS(), Dialer: k.cluster.Dial,
	})
	if err != nil {
		k.t.Fatalf("log in to cluster:\n%v", err)
	}
	k.createExternal(resolved.External)
	have, err := plan.Read(k.t.Context(), want, k.admin, k.registry)
	if err != nil {
		k.t.Fatalf("read cluster:\n%v", err)
	}
	changes, err := plan.Diff(want, have)
	if err != nil {
		k.t.Fatalf("plan:\n%v", err)
	}
	target := plan.Target{Cluster: k.admin, Registry: k.registry, Passwords: func(user string) (secret.Secret, error) {
		return secret.New(k.cluster.Password(user)), nil
	}}
	if err := plan.Apply(k.t.Context(), target, changes, nil); err != nil {
		k.t.Fatalf("apply:\n%v", err)
	}
	k.learn()
}

// resolve makes an estate of the services under test. What they read and none
// of them owns is external.
func (k *Kit) resolve() *contract.Resolved {
	external := &contract.External{Topics: make(map[string]*contract.ExternalTopic)}
	r := &contract.Resolved{
		Env: environment, External: external, Clusters: &contract.Clusters{Clusters: map[string]*contract.Cluster{elsewhere: {Name: elsewhere}}},
		Bindings: map[string]contract.Binding{contract.DefaultAlias: {Cluster: elsewhere}},
	}
	for alias := range k.root().others {
		r.Bindings[alias] = contract.Binding{Cluster: elsewhere}
	}
	r.Bindings[k.alias] = contract.Binding{Cluster: contract.Embedded}
	owned := make(map[string]bool)
	for _, name := range k.order {
		svc := k.services[name].contract
		r.Services = append(r.Services, svc)
		for name, t := range svc.Topics {
			owned[name] = owned[name] || k.here(t.Cluster)
		}
	}
	slices.SortFunc(r.Services, func(a, b *contract.Service) int { return cmp.Compare(a.Name, b.Name) })
	for _, svc := range r.Services {
		for _, c := range svc.Consumes {
			if !owned[c.Topic] && k.here(c.Cluster) {
				external.Topics[c.Topic] = &contract.ExternalTopic{Name: c.Topic, Partitions: externalPartitions, Cluster: k.alias}
				k.topics[c.Topic] = k.topic(svc, c.Schema, contract.Key{})
			}
		}
		for _, t := range svc.Topics {
			if k.here(t.Cluster) {
				k.topics[t.Name] = k.topic(svc, t.Schema, t.Key)
			}
		}
	}
	return r
}

// topic reads what a contract says of a topic.
func (k *Kit) topic(svc *contract.Service, s *contract.Schema, key contract.Key) *topic {
	if s == nil {
		return &topic{key: key}
	}
	source, err := schema.SourceOf(svc, s, "")
	if err != nil {
		k.t.Fatalf("read schema of %s: %v", svc.Name, err)
	}
	return &topic{format: s.Format, source: source, strategy: s.Subject, key: key}
}

// createExternal creates the topics of other owners with their schemas.
func (k *Kit) createExternal(external *contract.External) {
	k.t.Helper()
	var topics []kafka.Topic
	for _, name := range slices.Sorted(maps.Keys(external.Topics)) {
		topics = append(topics, kafka.Topic{Name: name, Partitions: externalPartitions, Replicas: 3})
		if t := k.topics[name]; t.format != "" {
			if _, err := k.registry.RegisterSource(k.t.Context(), contract.Subject(name), string(t.format), t.source); err != nil {
				k.t.Fatalf("register schema of %s: %v", name, err)
			}
		}
	}
	if err := errors.Join(k.admin.CreateTopics(k.t.Context(), topics)...); err != nil {
		k.t.Fatalf("create topics of other owners: %v", err)
	}
}

// learn asks which ids the schemas got.
func (k *Kit) learn() {
	for name, t := range k.topics {
		if t.format == "" {
			continue
		}
		if err := k.mark(context.WithoutCancel(k.t.Context()), name, t); err != nil {
			k.t.Fatalf("look up schema of %s: %v", name, err)
		}
	}
}

func (k *Kit) mark(ctx context.Context, name string, t *topic) error {
	subject, err := plan.SubjectName(t.format, t.strategy, "", name, t.source)
	if err != nil {
		return err
	}
	if t.source, err = t.source.Complete(ctx, k.registry); err != nil {
		return err
	}
	text, err := t.source.Pin(ctx, k.registry, string(t.format))
	if err != nil {
		return err
	}
	if t.mark.ID, err = k.registry.Lookup(ctx, subject, text); err != nil || t.key.Format != contract.KeyAvro {
		return err
	}
	key, err := avro.KeySchema(t.source, t.key.Field)
	if err != nil {
		return err
	}
	t.keys.ID, err = k.registry.Lookup(ctx, schema.KeySubject(name), schema.Text{Format: string(contract.Avro), Schema: key})
	return err
}

// consumes reports whether the groups of a service own all their partitions.
func (k *Kit) consumes(s *service) bool {
	for _, other := range k.others {
		if !other.consumes(s) {
			return false
		}
	}
	for _, c := range s.contract.Consumes {
		if !c.Grouped() || !k.here(c.Cluster) {
			continue
		}
		groups, err := k.admin.Groups(k.t.Context(), s.contract.GroupID(c))
		if err != nil || groups[0].Err != nil || groups[0].State != "Stable" {
			return false
		}
	}
	return true
}
