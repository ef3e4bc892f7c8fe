package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/plan"
)

// lifetime is an estate as it begins and as it becomes, in which everything
// happens that plan and apply do.
func lifetime(t failer, cluster, env string) (first, second *contract.Resolved) {
	t.Helper()
	sized := func(partitions int, retention, session, rate string) *contract.Resolved {
		return estate(t, env, map[string]string{
			"clusters.yaml": fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments: {%[1]s: {default: {cluster: %[2]s, topicPrefix: %[1]s.}}}\n", env, cluster),
			"external.yaml": "apiVersion: slipway.dev/v1\nkind: External\ntopics: {crm.changed.v1: {}}\n",
			"a": fmt.Sprintf("identity: {auth: scram-sha-512}\nquotas: {produce: %s}\ntopics: {a.b.v1: {key: id, partitions: %d, retention: %s}}\nproduces: {a.b.v1: {}}\n",
				rate, partitions, retention),
			"b": fmt.Sprintf("identity: {auth: scram-sha-256}\nconsumes:\n  a.b.v1: {protocol: consumer, session: %s}\n  crm.changed.v1: {group: crm}\n", session),
		})
	}
	return sized(1, "7d", "50s", "10MiB/s"), sized(2, "60d", "55s", "5MiB/s")
}

// A trial is one principal with its rights, on a cluster of its own that holds
// things nobody declares.
type trial struct {
	*testing.T
	admin, own *kafka.Cluster
	registry   plan.Registry
	passwords  plan.Passwords
	cluster    string
	env        string
	duty       acl.Duty

	// groups is whether a group can be seen by who may ALTER the cluster, as
	// Kafka has it. The embedded cluster asks for a right on the group.
	groups bool

	// settle is how long brokers may take until all of them know what one does.
	settle time.Duration
}

// deployer is who plans and applies, in one environment.
func deployer(env string) string { return "deployer-" + env }

// eventually waits until what was made is known.
func (r *trial) eventually(f func() error) {
	r.Helper()
	for limit := time.After(30 * time.Second); ; {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-limit:
			r.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// prepare makes what is there before anybody plans.
func (r *trial) prepare() {
	r.Helper()
	user := "svc-gone-" + r.env
	gone := acl.Binding{Principal: "User:" + user, ResourceType: acl.Topic, Name: "x", Pattern: acl.Literal, Operation: acl.Read, Permission: acl.Allow, Host: acl.AnyHost}
	errs := r.admin.CreateTopics(r.Context(), []kafka.Topic{
		{Name: r.env + ".crm.changed.v1", Partitions: 2, Replicas: 3}, {Name: r.env + ".gone.v1", Partitions: 1, Replicas: 3}, {Name: user + ".x.v1.retry", Partitions: 1, Replicas: 3},
	})
	errs = append(errs, r.admin.Grant(r.Context(), []acl.Binding{gone})...)
	errs = append(errs, r.admin.SetQuotas(r.Context(), []kafka.Quota{{User: user, Limits: map[string]float64{kafka.QuotaProduce: 1 << 20}}})...)
	errs = append(errs, r.admin.SetPasswords(r.Context(), []kafka.Login{{
		Credential: kafka.Credential{User: user, Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secret.Generate(),
	}})...)
	if err := errors.Join(errs...); err != nil {
		r.Fatal(err)
	}
	r.eventually(func() error {
		at := kafka.Partition{Topic: r.env + ".gone.v1"}
		failed, err := r.admin.Commit(r.Context(), user, map[kafka.Partition]kafka.GroupOffset{at: {}})
		return errors.Join(err, failed[at])
	})
}

// serve does all that the principal's duty is, and fails if anything of it
// does, or shows less than the administrator sees.
func (r *trial) serve() error {
	first, second := lifetime(r, r.cluster, r.env)
	switch r.duty {
	case acl.Planning:
		if err := r.apply(r.admin, first); err != nil {
			r.Fatal(err)
		}
		return r.same(second)
	case acl.Applying:
		return errors.Join(r.locked(func() error { return r.apply(r.own, first) }), r.same(second), r.apply(r.own, second), r.same(second))
	default:
		return errors.Join(r.locked(func() error { return r.apply(r.own, first) }), r.apply(r.own, second), r.same(second), r.prune(second))
	}
}

func (r *trial) locked(work func() error) error {
	_, release, err := plan.Lock(r.Context(), r.own, r.env)
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer release()
	return work()
}

// look is what slipway plan does.
func (r *trial) look(as *kafka.Cluster, estate *contract.Resolved) (*plan.Plan, error) {
	want, err := plan.Derive(estate, r.cluster)
	if err != nil {
		r.Fatal(err)
	}
	have, err := plan.Read(r.Context(), want, as, nil)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if err := have.Survey(r.Context(), as); err != nil {
		return nil, fmt.Errorf("survey: %w", err)
	}
	p, err := plan.Diff(want, have)
	if err != nil {
		return nil, err
	}
	p.Meet(r.Context(), as, time.Now())
	for _, c := range p.Changes {
		if len(c.Impact) > 0 && strings.Contains(c.Impact[0], "could not") {
			return nil, fmt.Errorf("meet %s: %s", c, c.Impact[0])
		}
	}
	return p, nil
}

func (r *trial) apply(as *kafka.Cluster, estate *contract.Resolved) error {
	p, err := r.look(as, estate)
	if err != nil {
		return err
	}
	return r.change(as, p)
}

func (r *trial) change(as *kafka.Cluster, p *plan.Plan) error {
	target := plan.Target{Cluster: as, Registry: r.registry, Passwords: r.passwords, Iterations: 4096}
	for _, c := range p.Changes {
		if c.Allow != "" && !slices.Contains(target.Allow, c.Allow) {
			target.Allow = append(target.Allow, c.Allow)
		}
	}
	if err := plan.Apply(r.Context(), target, p, nil); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if r.settle > 0 { // brokers learn of it one after the other
		<-time.After(r.settle)
	}
	return nil
}

// same fails unless the principal sees what the administrator does.
func (r *trial) same(estate *contract.Resolved) error {
	all, err := r.look(r.admin, estate)
	if err != nil {
		r.Fatal(err)
	}
	own, err := r.look(r.own, estate)
	if err != nil {
		return err
	}
	if all.Hash != own.Hash {
		return fmt.Errorf("the principal plans otherwise than the administrator:\n%s\n%s", text(own), text(all))
	}
	if want, got := r.orphans(all), r.orphans(own); !slices.Equal(want, got) {
		return fmt.Errorf("orphans %v, and the administrator sees %v", got, want)
	}
	return nil
}

func (r *trial) orphans(p *plan.Plan) []string {
	var all []string
	for _, o := range p.Orphans {
		if o.Kind == plan.KindGroup && !r.groups && r.duty != acl.Deleting || strings.Contains(o.Name, deployer(r.env)) {
			continue
		}
		all = append(all, string(o.Kind)+"/"+o.Name)
	}
	return all
}

// prune deletes whatever nobody declares.
func (r *trial) prune(estate *contract.Resolved) error {
	p, err := r.look(r.own, estate)
	if err != nil {
		return err
	}
	if len(p.Orphans) < 6 {
		return fmt.Errorf("only %d orphans are seen: %v", len(p.Orphans), p.Orphans)
	}
	var names []string
	for _, o := range p.Orphans {
		names = append(names, o.Allow)
	}
	return r.change(r.own, p.Deleting(names...))
}

// attempt runs the principal's duty with some rights on an embedded cluster.
func attempt(t *testing.T, duty acl.Duty, rights []acl.Binding) error {
	t.Helper()
	rig := start(t)
	user := deployer("dev")
	login := kafka.Login{Credential: kafka.Credential{User: user, Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secret.New(rig.Password(user))}
	if err := errors.Join(append(rig.admin.SetPasswords(t.Context(), []kafka.Login{login}), rig.admin.Grant(t.Context(), rights)...)...); err != nil {
		t.Fatal(err)
	}
	r := &trial{T: t, admin: rig.admin, own: rig.connect(t, user, contract.SCRAMSHA512), cluster: contract.Embedded, env: "dev", duty: duty, passwords: rig.target().Passwords}
	r.prepare()
	return r.serve()
}

func rights(t failer, cluster, env string, duty acl.Duty) []acl.Binding {
	t.Helper()
	first, _ := lifetime(t, cluster, env)
	var all []acl.Binding
	for _, g := range acl.Bootstrap(first, cluster, "User:"+deployer(env), duty) {
		all = append(all, g.Binding)
	}
	return all
}

// TestWhoAppliesCanDoItWithExactlyTheBootstrapsRights has a principal plan,
// apply and delete with the rights of its bootstrap, and then, once for each
// right, without it, which must fail. Rights on settings of groups are left to
// real Kafka: the embedded cluster does not ask for them.
func TestWhoAppliesCanDoItWithExactlyTheBootstrapsRights(t *testing.T) {
	t.Parallel()
	for _, duty := range []acl.Duty{acl.Planning, acl.Applying, acl.Deleting} {
		all := rights(t, contract.Embedded, "dev", duty)
		t.Run(string(duty), func(t *testing.T) {
			t.Parallel()
			if err := attempt(t, duty, all); err != nil {
				t.Fatalf("with all %d rights: %v", len(all), err)
			}
		})
		for i, b := range all {
			if b.ResourceType == acl.Group && (b.Operation == acl.AlterConfigs || b.Operation == acl.DescribeConfigs) {
				continue
			}
			t.Run(string(duty)+" without "+b.String(), func(t *testing.T) {
				t.Parallel()
				err := attempt(t, duty, slices.Delete(slices.Clone(all), i, i+1))
				if err == nil {
					t.Fatalf("nothing fails without it")
				}
				t.Log(strings.SplitN(err.Error(), "\n", 2)[0])
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it fails for want of time, which proves nothing: %v", err)
				}
			})
		}
	}
}
