//go:build kafka

package plan_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// TestTrustOnRealKafka is the lock and the deletions on three nodes.
func TestTrustOnRealKafka(t *testing.T) {
	c, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: 4 * time.Minute})
	devtest.Require(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	r := realRig(t, c)
	t.Run("of several that race one has the lock", r.race)
	t.Run("the lock of a dead process ends by itself", r.die)
	t.Run("exactly what is named is deleted", r.deletions)
	t.Run("replicas come and go where the brokers have room", r.replicas)
}

// replicas gives a topic more and fewer, until every partition has them.
func (r *realCluster) replicas(t *testing.T) {
	const topic = "copied.v1"
	if err := errors.Join(r.admin.CreateTopics(t.Context(), []kafka.Topic{{Name: topic, Partitions: 6, Replicas: 1}})...); err != nil {
		t.Fatal(err)
	}
	copied := func(replicas int) *plan.Desired {
		owned := plan.Topic{Name: topic, Service: "a", Role: plan.Owned, Replicas: replicas, Reasons: []plan.Reason{{Service: "a", Text: "owns it"}}}
		return &plan.Desired{Env: "dev", Cluster: contract.Local, Topics: []plan.Topic{owned}}
	}
	for calm := 0; calm < 12; calm++ { // until every broker knows the topic
		if all, err := r.admin.Topics(t.Context(), topic); err != nil || all[topic].Replicas != 1 {
			calm = 0
			<-time.After(100 * time.Millisecond)
		}
	}
	for _, want := range []int{3, 2} {
		d := copied(want)
		p := r.plan(t, d)
		if len(p.Changes) != 1 || p.Changes[0].Allow != "replicas:"+topic {
			t.Fatalf("the plan for %d replicas is %v", want, p.Changes)
		}
		to := r.target
		if err := plan.Apply(t.Context(), to, p, nil); !errors.Is(err, plan.ErrRefused) {
			t.Errorf("Apply() = %v without its --allow, want a refusal", err)
		}
		to.Allow = []string{"replicas:" + topic}
		moving := func(err error) bool { return err != nil && strings.Contains(err.Error(), "on the move already") }
		err := plan.Apply(t.Context(), to, p, nil)
		for begun := time.Now(); moving(err) && time.Since(begun) < 30*time.Second; err = plan.Apply(t.Context(), to, p, nil) {
			<-time.After(100 * time.Millisecond)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.requireSettled(t, d)
		if left := r.plan(t, d); !left.Empty() {
			t.Errorf("after the apply the plan has %v", left.Changes)
		}
	}
}

func (r *realCluster) race(t *testing.T) {
	var clients [4]*kafka.Cluster
	for i := range clients {
		clients[i] = realRig(t, r.Cluster).admin
	}
	for range 3 {
		var won atomic.Int32
		others := make(chan error, len(clients))
		var wg sync.WaitGroup
		begun := time.Now()
		for _, c := range clients {
			wg.Go(func() {
				held, release, err := plan.Lock(t.Context(), c, "race")
				if err != nil {
					others <- err
					return
				}
				won.Add(1)
				for range len(clients) - 1 {
					select {
					case err := <-others:
						if !errors.Is(err, diag.PlanLocked) {
							t.Error(err)
						}
					case <-held.Done():
						t.Errorf("the lock was lost to a race: %v", context.Cause(held))
						return
					}
				}
				release()
			})
		}
		wg.Wait()
		t.Logf("%d of %d have the lock, in %v", won.Load(), len(clients), time.Since(begun).Round(time.Millisecond))
		if won.Load() != 1 {
			close(others)
			for err := range others {
				t.Error(err)
			}
			t.Fatalf("%d of %d have the lock", won.Load(), len(clients))
		}
	}
}

func (r *realCluster) die(t *testing.T) {
	const session = 6 * time.Second // the least that brokers take
	ctx, kill := context.WithCancel(t.Context())
	if _, _, err := realRig(t, r.Cluster).admin.Lock(ctx, "slipway-apply-dead", session); err != nil {
		t.Fatal(err)
	}
	kill()
	begun := time.Now()
	for ; ; <-time.After(200 * time.Millisecond) {
		_, release, err := r.admin.Lock(t.Context(), "slipway-apply-dead", session)
		if err == nil {
			release()
			break
		}
		if !errors.Is(err, diag.PlanLocked) || time.Since(begun) > 5*session {
			t.Fatal(err)
		}
	}
	t.Logf("free after %v", time.Since(begun).Round(100*time.Millisecond))
}

func (r *realCluster) deletions(t *testing.T) {
	on := func(files map[string]string) *plan.Desired {
		e := estate(t, "dev", files)
		e.Bindings = map[string]contract.Binding{contract.DefaultAlias: {Cluster: contract.Local}}
		return derive(t, e, contract.Local)
	}
	old := on(before)
	if err := plan.Apply(t.Context(), r.target, r.plan(t, old), nil); err != nil {
		t.Fatal(err)
	}
	r.requireSettled(t, old)
	want := on(after)
	survey := func() *plan.Plan {
		have, err := plan.Read(t.Context(), want, r.admin, r.registry)
		if err := errors.Join(err, have.Survey(t.Context(), r.admin)); err != nil {
			t.Fatal(err)
		}
		return diff(t, want, have)
	}
	var left []string
	p := survey()
	target := r.target
	for _, o := range p.Orphans {
		if slices.Contains(deletable, o.Allow) {
			target.Allow = append(target.Allow, o.Allow)
		} else {
			left = append(left, o.Allow)
		}
	}
	if len(target.Allow) < 4 || len(left) < 1 {
		t.Fatalf("%d orphans that may go and %d that stay: %v", len(target.Allow), len(left), p.Orphans)
	}
	p = p.Deleting(target.Allow...)
	p.Meet(t.Context(), r.admin, time.Now())
	for _, c := range p.Changes {
		if c.Allow != "" && !slices.Contains(target.Allow, c.Allow) {
			target.Allow = append(target.Allow, c.Allow)
		}
		if c.Kind == plan.KindTopic && c.Class == plan.Destructive && !slices.Equal(c.Impact, []string{"the topic is empty"}) {
			t.Errorf("%s meets %q", c, c.Impact)
		}
	}
	if err := plan.Apply(t.Context(), target, p, nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 100 { // brokers learn a little later
		if p = survey(); p.Empty() {
			got = nil
			for _, o := range p.Orphans {
				got = append(got, o.Allow)
			}
			if slices.Equal(got, left) {
				t.Logf("what was allowed went, and %d orphans stay", len(left))
				return
			}
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Errorf("there is still\n%sand the orphans are\n%s\nwant\n%s", text(p), strings.Join(got, "\n"), strings.Join(left, "\n"))
}
