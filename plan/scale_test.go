package plan_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

const largeEstate = 1000 // services, each with 10 topics, 20 ACLs and 2 users

// BenchmarkPlanLargeEstate plans 10,000 topics, 1,000 services, 2,000 users and
// 20,000 ACLs against a live cluster that has them all: the contracts read,
// resolved and derived, the cluster read and surveyed, the two compared. The
// brokers work in the same process, so the time is that of both sides, and the
// memory what the heap grows by at its height.
func BenchmarkPlanLargeEstate(b *testing.B) {
	fsys := largeFiles()
	want := derive(b, resolve(b, fsys, "dev"), contract.Embedded)
	if len(want.Topics) != 10*largeEstate || len(want.Grants) != 20*largeEstate {
		b.Fatalf("%d topics and %d ACLs", len(want.Topics), len(want.Grants))
	}
	r := start(b)
	r.populate(b, want)
	b.ReportAllocs()
	var peak uint64
	for b.Loop() {
		grown := watchHeap()
		if p := r.survey(b, derive(b, resolve(b, fsys, "dev"), contract.Embedded)); !p.Empty() || len(p.Orphans) > 0 {
			b.Fatalf("%d changes and %d orphans, want none", len(p.Changes), len(p.Orphans))
		}
		peak = max(peak, grown())
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

// BenchmarkPlanLargeEstateFromNothing is the same against a cluster that has
// nothing yet: 32,000 changes.
func BenchmarkPlanLargeEstateFromNothing(b *testing.B) {
	fsys := largeFiles()
	r := start(b)
	b.ReportAllocs()
	var peak uint64
	changes := 0
	for b.Loop() {
		grown := watchHeap()
		changes = len(r.survey(b, derive(b, resolve(b, fsys, "dev"), contract.Embedded)).Changes)
		peak = max(peak, grown())
	}
	b.ReportMetric(float64(changes), "changes")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

func largeFiles() fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := range largeEstate {
		topics, produces := "", ""
		for j := range 8 {
			topics += fmt.Sprintf("  %s: {key: id, partitions: 1, replicas: 1, retention: 7d}\n", largeTopic(i, j))
			produces += fmt.Sprintf("  %s: {}\n", largeTopic(i, j))
		}
		text := fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: s%d, owner: team}\ntopics:\n%sproduces:\n%sconsumes:\n  %s: {}\n  %s: {as: table}\n  %s: {as: table}\n",
			i, topics, produces, largeTopic(i+1, 0), largeTopic(i+2, 1), largeTopic(i+3, 2))
		fsys[fmt.Sprintf("s%d/slipway.yaml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func largeTopic(service, n int) string {
	return fmt.Sprintf("domain%d.topic%d.v1", service%largeEstate, n)
}

// populate makes what is desired in the way of apply, with one password for
// all: SCRAM's hashing is no part of planning.
func (r *rig) populate(b *testing.B, want *plan.Desired) {
	b.Helper()
	p := r.plan(b, want)
	users := slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool { return c.Kind != plan.KindUser })
	var logins []kafka.Login
	for _, u := range users {
		logins = append(logins, kafka.Login{Credential: kafka.Credential{User: u.Name, Mechanism: contract.SCRAMSHA512, Iterations: 4096}, Password: secretOf("x")})
	}
	if err := errors.Join(r.admin.SetPasswords(b.Context(), logins)...); err != nil {
		b.Fatal(err)
	}
	p = r.plan(b, want)
	begun, done := time.Now(), 0
	if err := plan.Apply(b.Context(), r.target(), p, func(plan.Change, error) { done++ }); err != nil {
		b.Fatal(err)
	}
	b.Logf("applied %d changes in %.1f s", done, time.Since(begun).Seconds())
}

// watchHeap samples how large the heap is until it is asked, and tells by how
// much it has grown at most.
func watchHeap() (grown func() uint64) {
	runtime.GC()
	size := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	base, peak := size(), uint64(0)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			peak = max(peak, size())
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return func() uint64 {
		close(stop)
		wg.Wait()
		return peak - min(peak, base)
	}
}
