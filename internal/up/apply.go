package up

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// commandUser is who the command after -- is. Its name is outside the names
// that services can have.
const commandUser = "up-command"

// commandDir is where its files are. No service has this name.
const commandDir = "_command"

// prepare makes the cluster what the estate calls for, and tells why.
func (r *run) prepare(ctx context.Context, c *cluster, id *identities) error {
	want, err := r.desired()
	if err != nil {
		return err
	}
	have, err := plan.Read(ctx, want, c.kafka, c.registry)
	if err != nil {
		return err
	}
	p, err := plan.Diff(want, have)
	if err != nil {
		return err
	}
	r.observe(Planned{Plan: p})
	target := plan.Target{Cluster: c.kafka, Registry: c.registry, Passwords: id.password}
	if err := plan.Apply(ctx, target, p, func(change plan.Change, err error) { r.observe(Applied{Change: change, Err: err}) }); err != nil {
		return err
	}
	settled, err := plan.Settle(ctx, want, c.kafka, c.registry)
	if err == nil && !settled {
		r.observe(Note{Text: "not every broker knows yet what was created; services may be refused at first"})
	}
	return err
}

// desired is what the contracts call for, with what only a run needs: stand-ins
// for topics that others own, and who the command is.
func (r *run) desired() (*plan.Desired, error) {
	want, err := plan.Derive(r.estate.Resolved, r.estate.cluster)
	if err != nil {
		return nil, err
	}
	if err := addExternal(want, r.estate); err != nil {
		return nil, err
	}
	if len(r.cfg.Command) > 0 {
		addCommand(want, r.estate.cluster)
	}
	return want, nil
}

// addExternal gives the cluster the topics that others own elsewhere: it is a
// fresh one, and nobody else would create them here.
func addExternal(want *plan.Desired, e *estate) error {
	defaults := e.Cluster(e.cluster).Defaults
	for _, name := range slices.Sorted(maps.Keys(e.External.Topics)) {
		t := e.External.Topics[name]
		topic := e.PhysicalTopic(t.Cluster, name)
		why := []plan.Reason{{Service: contract.ExternalFile, Text: "stands in for a topic that others own", Position: e.External.Position("topics/" + name)}}
		want.Topics = append(want.Topics, plan.Topic{
			Name:       topic,
			Service:    contract.ExternalFile,
			Role:       plan.Owned,
			Partitions: cmp.Or(t.Partitions, defaults.Partitions),
			Replicas:   defaults.Replicas,
			Configs:    map[string]string{kafka.CleanupPolicy: "delete"},
			Reasons:    why,
		})
		if t.Schema == nil {
			continue
		}
		text, err := e.External.SchemaText(t.Schema)
		if err != nil {
			return err
		}
		want.Subjects = append(want.Subjects, plan.Subject{
			Name:    contract.Subject(topic),
			Service: contract.ExternalFile,
			Format:  cmp.Or(t.Schema.Format, contract.Avro),
			Schema:  text,
			Level:   cmp.Or(t.Schema.Compatibility, contract.BackwardTransitive),
			Reasons: why,
		})
	}
	return nil
}

// addCommand lets the command read every topic, dead letters included, in
// groups of its own. It may write nothing: what a test puts into the estate
// goes in where users do, through the services.
func addCommand(want *plan.Desired, cluster string) {
	why := []plan.Reason{{Service: commandUser, Text: "the command after -- reads what the services wrote"}}
	grant := func(kind acl.ResourceType, name string, pattern acl.Pattern) {
		want.Grants = append(want.Grants, acl.Grant{
			Binding: acl.Binding{
				Principal:    "User:" + commandUser,
				ResourceType: kind,
				Name:         name,
				Pattern:      pattern,
				Operation:    acl.Read,
				Permission:   acl.Allow,
				Host:         acl.AnyHost,
			},
			Cluster: cluster,
			Reasons: why,
		})
	}
	want.Users = append(want.Users, plan.User{Name: commandUser, Service: commandUser, Mechanism: contract.SCRAMSHA512, Reasons: why})
	for _, t := range want.Topics {
		grant(acl.Topic, t.Name, acl.Literal)
	}
	grant(acl.Group, commandUser, acl.Prefixed)
}
