package plan_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// before and after are an estate in which everything moves: a service comes,
// one goes, a topic grows with the retry topic beside it.
var (
	before = map[string]string{
		"a":    "identity: {auth: scram-sha-256}\ntopics: {a.b.v1: {key: id, partitions: 3, retention: 7d}}\nproduces: {a.b.v1: {}}",
		"b":    "consumes: {a.b.v1: {}}",
		"gone": "quotas: {consume: 1MiB/s}\ntopics: {gone.v1: {}}\nproduces: {gone.v1: {}}\nconsumes: {a.b.v1: {}}",
	}
	after = map[string]string{
		"a":   "topics: {a.b.v1: {key: id, partitions: 5, retention: 1d, maxMessage: 2MiB}, a.c.v1: {}}\nproduces: {a.b.v1: {}, a.c.v1: {via: transaction}}",
		"b":   "quotas: {produce: 1MiB/s}\nconsumes: {a.b.v1: {}, a.c.v1: {group: k, protocol: consumer, session: 1m, heartbeat: 9s}}",
		"new": "consumes: {a.b.v1: {retry: {delays: [1s]}}}",
	}
)

// deletable are the orphans that may go; others stay.
var deletable = []string{"delete:acl/User:svc-gone-dev", "delete:user/svc-gone-dev", "delete:user/svc-a-dev", "delete:quota/svc-gone-dev", "delete:topic/svc-gone-dev.a.b.v1.retry", "delete:acl/User:svc-gone-dev-redrive"}

// plannable is the plan with everything allowed that may be.
func plannable(t testing.TB, r *rig, want *plan.Desired) (*plan.Plan, plan.Target) {
	t.Helper()
	p := r.survey(t, want)
	target := r.target()
	for _, o := range p.Orphans {
		if slices.Contains(deletable, o.Allow) {
			target.Allow = append(target.Allow, o.Allow)
		}
	}
	p = p.Deleting(target.Allow...)
	for _, c := range p.Changes {
		if c.Allow != "" && !slices.Contains(target.Allow, c.Allow) {
			target.Allow = append(target.Allow, c.Allow)
		}
	}
	return p, target
}

// prepared is a cluster with the estate of before, beside what is not ours.
func prepared(t testing.TB) (*rig, *plan.Desired) {
	t.Helper()
	r := start(t)
	old := derive(t, estate(t, "dev", before), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, old), nil); err != nil {
		t.Fatal(err)
	}
	r.foreign(t)
	return r, derive(t, estate(t, "dev", after), contract.Embedded)
}

// A deletions is what was asked to be deleted, request by request.
type deletions struct {
	mu    sync.Mutex
	names []string
}

// note collects the names of a request that deletes.
func (d *deletions) note(req kmsg.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch req := req.(type) {
	case *kmsg.DeleteTopicsRequest:
		d.names = append(d.names, req.TopicNames...)
		for _, t := range req.Topics {
			d.names = append(d.names, *t.Topic)
		}
	case *kmsg.DeleteACLsRequest:
		for _, f := range req.Filters {
			d.names = append(d.names, *f.Principal)
		}
	case *kmsg.AlterUserSCRAMCredentialsRequest:
		for _, u := range req.Deletions {
			d.names = append(d.names, u.Name)
		}
	case *kmsg.DeleteGroupsRequest:
		d.names = append(d.names, req.Groups...)
	case *kmsg.DeleteRecordsRequest:
		d.names = append(d.names, "records")
	}
}

func (d *deletions) unplanned() []string {
	return slices.DeleteFunc(slices.Clone(d.names), func(name string) bool {
		return slices.ContainsFunc(deletable, func(allow string) bool { return strings.HasSuffix(allow, "/"+name) })
	})
}

// TestApplyConvergesWhereverItDies ends an apply while the cluster works on the
// first item of its requests, on the second and so on, each time on a cluster
// of its own: the request may be done or not, the answer is lost, and nothing
// follows. The next apply does the rest and nothing else.
func TestApplyConvergesWhereverItDies(t *testing.T) {
	t.Parallel()
	runs, died, items := converge(t, func(ctx context.Context, r *rig, n int, seen *deletions) (context.Context, func() bool) {
		ctx, kill := context.WithCancelCause(ctx)
		var count atomic.Int64
		r.Kafka().Fault(kfake.Fault{Observe: true, Count: -1, When: func(req kmsg.Request) bool {
			seen.note(req)
			if count.Add(1) == int64(n) {
				kill(errors.New("killed"))
			}
			return true
		}})
		return ctx, func() bool { return count.Load() >= int64(n) }
	})
	t.Logf("F-56: %d applies ended at each of %d items in turn, %d of them before they were done", runs, items, died)
	if died < 10 {
		t.Errorf("only %d applies were ended", died)
	}
}

// TestApplyConvergesWhateverItemFails answers the first item that a request
// would write with an error, then the second and so on, requests as a whole
// included.
func TestApplyConvergesWhateverItemFails(t *testing.T) {
	t.Parallel()
	writing := []kmsg.Key{
		kmsg.CreateTopics, kmsg.CreatePartitions, kmsg.IncrementalAlterConfigs, kmsg.AlterUserSCRAMCredentials, kmsg.CreateACLs,
		kmsg.AlterClientQuotas, kmsg.DeleteACLs, kmsg.DeleteTopics, kmsg.DeleteGroups,
	}
	for name, answer := range map[string]*kerr.Error{"refused": kerr.PolicyViolation, "done and unknown": kerr.RequestTimedOut} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs, failed, _ := converge(t, func(ctx context.Context, r *rig, n int, seen *deletions) (context.Context, func() bool) {
				var count atomic.Int64
				fault := r.Kafka().Fault(kfake.Fault{Keys: writing, Err: answer, When: func(req kmsg.Request) bool {
					seen.note(req)
					return count.Add(1) == int64(n)
				}})
				return ctx, func() bool { defer fault.Remove(); return count.Load() >= int64(n) }
			})
			t.Logf("F-56: %d applies of which each item in turn was answered with %s, %d of them failed in part", runs, answer.Message, failed)
			if failed < 5 {
				t.Errorf("only %d applies failed", failed)
			}
		})
	}
}

// converge breaks an apply at its nth item, for every n that there is, and
// sees that the next apply ends where one that was not broken does.
func converge(t *testing.T, breakAt func(ctx context.Context, r *rig, n int, seen *deletions) (context.Context, func() bool)) (runs, failed, items int) {
	t.Helper()
	want := settledState(t)
	for n := 1; ; n++ {
		r, desired := prepared(t)
		p, target := plannable(t, r, desired)
		seen := &deletions{}
		ctx, reached := breakAt(t.Context(), r, n, seen)
		err := plan.Apply(ctx, target, p, nil)
		if !reached() {
			return runs, failed, n - 1
		}
		runs++
		if err != nil {
			failed++
		}
		again, target := plannable(t, r, desired)
		if err := plan.Apply(t.Context(), target, again, nil); err != nil {
			t.Fatalf("item %d: the apply after it: %v", n, err)
		}
		if left, _ := plannable(t, r, desired); !left.Empty() {
			t.Fatalf("item %d: after the next apply there is still\n%s", n, text(left))
		}
		if diff := cmp.Diff(want, r.everything(t)); diff != "" {
			t.Fatalf("item %d: the cluster (-want +got):\n%s", n, diff)
		}
		if stray := seen.unplanned(); len(stray) > 0 {
			t.Fatalf("item %d: deleted without a plan: %q", n, stray)
		}
	}
}

// settledState is where an apply that nothing breaks leads.
func settledState(t *testing.T) []string {
	t.Helper()
	r, desired := prepared(t)
	p, target := plannable(t, r, desired)
	if err := plan.Apply(t.Context(), target, p, nil); err != nil {
		t.Fatal(err)
	}
	return r.everything(t)
}

func TestOfTwoAppliesAtOnceOneIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	other := r.connect(t, r.Cluster.Admin().User, contract.SCRAMSHA512)
	held, release, err := plan.Lock(t.Context(), r.admin, "dev")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := plan.Lock(t.Context(), other, "dev"); !errors.Is(err, plan.ErrRefused) || !errors.Is(err, diag.PlanLocked) {
		t.Errorf("Lock() = %v, want %s", err, diag.PlanLocked)
	}
	if _, elsewhere, err := plan.Lock(t.Context(), other, "two"); err != nil {
		t.Errorf("another environment: %v", err)
	} else {
		elsewhere()
	}
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if err := plan.Apply(held, r.target(), r.plan(t, want), nil); err != nil {
		t.Error(err)
	}
	release()
	_, release, err = plan.Lock(t.Context(), other, "dev")
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestAnApplyEndsWhenItsLockIsLost(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, manyServices(t, 100), contract.Embedded)
	p := r.plan(t, want)
	held, release, err := plan.Lock(t.Context(), r.admin, "dev")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	r.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, Count: -1})
	done := 0
	err = plan.Apply(held, r.target(), p, func(plan.Change, error) {
		if done++; done == 1 {
			<-held.Done()
		}
	})
	if !errors.Is(err, diag.PlanLockLost) {
		t.Errorf("Apply() = %v, want %s", err, diag.PlanLockLost)
	}
	if done == 0 || done > 200 {
		t.Errorf("%d of %d changes were made, want no batch after the one in which it was lost", done, len(p.Changes))
	}
}

func TestWithoutTheRightToTheLockAnApplySaysWhichItIs(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := plan.Lock(t.Context(), r.connect(t, "svc-orders-dev", contract.SCRAMSHA512), "dev")
	if !errors.Is(err, diag.KafkaDenied) || !strings.Contains(diag.Of(err)[0].Fix, "READ on the group slipway-apply-dev") {
		t.Errorf("Lock() = %v, want %s and the right", err, diag.KafkaDenied)
	}
}

func TestSettleOfAServiceDoesNotWaitForTheOthers(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want).Of("orders"), nil); err != nil {
		t.Fatal(err)
	}
	settled, err := plan.Settle(t.Context(), want, r.admin, r.registry, plan.OfServices("orders"))
	if !settled || err != nil {
		t.Errorf("Settle() = %v, %v, want true", settled, err)
	}
	if left := r.plan(t, want); left.Empty() {
		t.Error("the others were applied too")
	}
}
