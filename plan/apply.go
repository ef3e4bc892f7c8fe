package plan

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
)

// Passwords returns the password to give a user that is created.
type Passwords func(user string) (secret.Secret, error)

// A Target is what a plan is applied to.
type Target struct {
	Cluster  *kafka.Cluster
	Registry Registry // required if the plan has subjects or schemas
	Connect  Connect  // required if the plan has connectors

	// Allow names the changes that may disturb or delete, as [Guard] wants
	// them.
	Allow []string

	// Iterations is the SCRAM iteration count of users that are created.
	//
	// Defaults to 8192, and to 4096 on the embedded cluster, which knows no
	// other. At most 16384.
	Iterations int

	// Passwords is asked once for each user that is created. Without it no
	// user can be.
	Passwords Passwords
}

// Apply makes a plan's changes, in their order. It refuses what [Guard]
// refuses, and a plan that was made for another cluster, before it changes
// anything.
//
// Each change is reported to progress, which may be nil, when it is done or
// has failed; calls do not overlap. A failed change does not stop the others.
// The error is a [diag.List] with one diagnostic for each of them. If the
// context ends, changes not begun are not reported, and the error wraps the
// context's cause.
//
// Applying a plan again changes nothing that is done, except that users get
// the password they are given.
func Apply(ctx context.Context, target Target, p *Plan, progress func(Change, error)) error {
	if id := target.Cluster.ID(); id != p.ClusterID {
		return refuse(diag.New(diag.PlanWrongCluster, "the plan is for cluster id %s, and the one that answers has id %s", p.ClusterID, id))
	}
	if err := Guard(p, target.Allow); err != nil {
		return err
	}
	a := &application{target: target, plan: p, progress: progress, undone: map[string]bool{}}
	for _, s := range a.stages() {
		for batch := range slices.Chunk(s.changes, kafka.MaxBatch) {
			if ctx.Err() != nil {
				return errors.Join(a.failed.Err(), context.Cause(ctx))
			}
			a.report(batch, s.apply(ctx, batch))
		}
	}
	return a.failed.Err()
}

type application struct {
	target   Target
	plan     *Plan
	progress func(Change, error)
	failed   diag.List
	undone   map[string]bool // topics that were not created or did not grow
}

// A stage is changes of one sort, which go into requests together.
type stage struct {
	changes []Change
	apply   func(context.Context, []Change) []error
}

func (a *application) stages() []stage {
	pick := func(match func(Change) bool) []Change {
		var some []Change
		for _, c := range a.plan.Changes {
			if match(c) {
				some = append(some, c)
			}
		}
		return some
	}
	kind := func(k Kind) []Change {
		return pick(func(c Change) bool { return c.Kind == k && c.Action != Delete })
	}
	topic := func(match func(Change) bool) []Change {
		return pick(func(c Change) bool { return c.Kind == KindTopic && match(c) })
	}
	user := func(mechanism contract.Auth) []Change { // a request may name a user only once
		return pick(func(c Change) bool {
			return c.Kind == KindUser && c.Action != Delete && c.item.user.Mechanism == mechanism
		})
	}
	cluster := a.target.Cluster
	return append([]stage{
		{pick(Change.growsRetries), topics(cluster.GrowTopics)},
		{topic(func(c Change) bool { return c.Action == Create }), topics(cluster.CreateTopics)},
		{pick(func(c Change) bool { return c.grows() && !c.growsRetries() }), a.grow(topics(cluster.GrowTopics))},
		{pick(Change.reassigns), topics(cluster.Reassign)},
		{topic(func(c Change) bool { return c.Action == Update && !c.grows() && !c.reassigns() }), eachTopic(cluster.SetConfigs)},
		{user(contract.SCRAMSHA512), a.users},
		{user(contract.SCRAMSHA256), a.users},
		{kind(KindQuota), eachQuota(cluster.SetQuotas)},
		{kind(KindACL), func(ctx context.Context, batch []Change) []error { return cluster.Grant(ctx, bindings(batch)) }},
		{kind(KindGroup), eachGroup(cluster.SetGroupConfigs)},
		{kind(KindSubject), a.levels},
		{kind(KindSchema), a.schemas},
		{kind(KindConnector), a.connectors},
	}, a.removals()...)
}

func (a *application) report(batch []Change, errs []error) {
	for i, c := range batch {
		err := errs[i]
		if err != nil {
			d := explainFailure(c, err)
			a.failed.Add(d)
			if c.Kind == KindTopic && (c.Action == Create || c.grows()) {
				a.undone[c.Name] = true
			}
			err = d
		}
		if a.progress != nil {
			a.progress(c, err)
		}
	}
}

// explainFailure keeps a code that says more than that the change failed.
func explainFailure(c Change, err error) diag.Diagnostic {
	known := diag.Of(err)
	if len(known) == 0 {
		return about(c, diag.New(diag.PlanItemFailed, "%s: %s", c.verb(), err))
	}
	d := known[0]
	d.Message = c.verb() + ": " + d.Message
	if d.Code == diag.KafkaRefused {
		d.Code = diag.PlanItemFailed
	}
	return about(c, d)
}

func topics(send func(context.Context, []kafka.Topic) []error) func(context.Context, []Change) []error {
	return func(ctx context.Context, batch []Change) []error {
		items := make([]kafka.Topic, len(batch))
		for i, c := range batch {
			t := c.item.topic
			items[i] = kafka.Topic{Name: t.Name, Partitions: t.Partitions, Replicas: t.Replicas, Configs: t.Configs}
		}
		return send(ctx, items)
	}
}

// grow holds back a topic whose retry topic has not the partitions for it: what
// fails in a new partition would have nowhere to wait.
func (a *application) grow(send func(context.Context, []Change) []error) func(context.Context, []Change) []error {
	return func(ctx context.Context, batch []Change) []error {
		errs := make([]error, len(batch))
		var ready []Change
		var where []int // ready → batch
		for i, c := range batch {
			if n := slices.IndexFunc(c.item.after, func(name string) bool { return a.undone[name] }); n >= 0 {
				errs[i] = diag.New(diag.PlanItemFailed, "it has to wait for its retry topic %s, which failed", c.item.after[n])
				continue
			}
			ready, where = append(ready, c), append(where, i)
		}
		for n, err := range send(ctx, ready) {
			errs[where[n]] = err
		}
		return errs
	}
}

// eachTopic and eachGroup send settings, those of one resource together.
func eachTopic(send func(context.Context, []kafka.Topic) []error) func(context.Context, []Change) []error {
	return together(send, func(t *kafka.Topic, c Change) {
		t.Name, t.Configs = c.Name, joined(t.Configs, c.item.topic.Configs)
	})
}

func eachGroup(send func(context.Context, []kafka.GroupConfig) []error) func(context.Context, []Change) []error {
	return together(send, func(g *kafka.GroupConfig, c Change) {
		g.Group, g.Configs = c.Name, joined(g.Configs, c.item.group.Configs)
	})
}

// together sends the settings of one resource as one item, because a request
// may name it only once. Its changes, which are neighbours, share the outcome.
func together[T any](send func(context.Context, []T) []error, add func(*T, Change)) func(context.Context, []Change) []error {
	return func(ctx context.Context, batch []Change) []error {
		var items []T
		where := make([]int, len(batch)) // change → item
		for i, c := range batch {
			if i == 0 || batch[i-1].Name != c.Name {
				items = append(items, *new(T))
			}
			where[i] = len(items) - 1
			add(&items[where[i]], c)
		}
		sent := send(ctx, items)
		errs := make([]error, len(batch))
		for i, n := range where {
			errs[i] = sent[n]
		}
		return errs
	}
}

func joined(a, b map[string]string) map[string]string {
	all := maps.Clone(b)
	maps.Copy(all, a)
	return all
}

func bindings(batch []Change) []acl.Binding {
	items := make([]acl.Binding, len(batch))
	for i, c := range batch {
		items[i] = c.item.binding
	}
	return items
}

func (a *application) users(ctx context.Context, batch []Change) []error {
	errs := make([]error, len(batch))
	var logins []kafka.Login
	var where []int // login → change
	for i, c := range batch {
		password, err := a.password(c.Name)
		if err != nil {
			errs[i] = err
			continue
		}
		credential := kafka.Credential{User: c.item.user.Name, Mechanism: c.item.user.Mechanism, Iterations: a.iterations()}
		logins = append(logins, kafka.Login{Credential: credential, Password: password})
		where = append(where, i)
	}
	for n, err := range a.target.Cluster.SetPasswords(ctx, logins) {
		errs[where[n]] = err
	}
	return errs
}

func (a *application) password(user string) (secret.Secret, error) {
	if a.target.Passwords == nil {
		return secret.Secret{}, diag.New(diag.PlanNoPassword, "there is no source of passwords")
	}
	password, err := a.target.Passwords(user)
	if err != nil {
		return secret.Secret{}, diag.New(diag.PlanNoPassword, "%s", err)
	}
	if password.Empty() {
		return secret.Secret{}, diag.New(diag.PlanNoPassword, "its password is empty")
	}
	return password, nil
}

func (a *application) iterations() int {
	if a.plan.Cluster == contract.Embedded {
		return cmp.Or(a.target.Iterations, 4096)
	}
	return cmp.Or(a.target.Iterations, 8192)
}

func (a *application) levels(ctx context.Context, batch []Change) []error {
	return a.subjects(batch, func(s Subject) error {
		return a.target.Registry.SetCompatibility(ctx, s.Name, string(s.Level))
	})
}

// schemas registers what others build on before them.
func (a *application) schemas(ctx context.Context, batch []Change) []error {
	errs := make([]error, len(batch))
	for _, wave := range waves(batch) {
		now := make([]Change, len(wave))
		for i, at := range wave {
			now[i] = batch[at]
		}
		for i, err := range a.subjects(now, func(s Subject) error { return a.register(ctx, s) }) {
			errs[wave[i]] = err
		}
	}
	return errs
}

func (a *application) register(ctx context.Context, s Subject) error {
	text, err := s.text(ctx, a.target.Registry)
	if err != nil {
		return err
	}
	_, err = a.target.Registry.Register(ctx, s.Name, text)
	return err
}

func (a *application) subjects(batch []Change, f func(Subject) error) []error {
	items := make([]Subject, len(batch))
	for i, c := range batch {
		items[i] = c.item.subject
	}
	return eachSubject(items, func(_ int, s Subject) error {
		if a.target.Registry == nil {
			return diag.New(diag.PlanNoRegistry, "there is no registry")
		}
		return f(s)
	})
}
