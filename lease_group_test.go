package slipway_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A member that was cut off for longer than its session holds the records that
// it has fetched. What it hears first is that it is no member any more.
func TestAMemberThatHearsThatItIsNoneStartsNothing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	began := make(map[int][]time.Time) // by instance
	instances := 0
	wire := func(app *slipway.App) error {
		instances++
		me := instances
		slipway.Handle(app, jobs, func(context.Context, *slipway.Message[[]byte]) error {
			mu.Lock()
			began[me] = append(began[me], time.Now())
			mu.Unlock()
			<-time.After(500 * time.Millisecond)
			return nil
		})
		return nil
	}
	says := "concurrency: 8, session: 6s, heartbeat: 1s, retry: {delays: [1s]}"
	slipwaytest.Run(t, consuming(says), wire, func(t *testing.T, k *slipwaytest.Kit) {
		s := newStudy(t)
		s.send(k, repeat(100, numbered(8)...)...)
		k.Advance(2 * time.Second)
		heal := k.Isolate(worker)
		k.Start(worker) // waits until the first one's session is over
		if !strings.Contains(k.Log(), "group coordinator does not answer") {
			t.Fatal("the first one did not notice the silence")
		}
		healed := time.Now()
		heal()
		k.Advance(time.Minute)
		if !strings.Contains(k.Log(), "partition lost") {
			t.Error("the first one was never told: the fault did not happen")
		}
		mu.Lock()
		defer mu.Unlock()
		for _, at := range began[1] {
			if since := at.Sub(healed); since >= 0 && since < 500*time.Millisecond { // later it has joined anew
				t.Errorf("the first one started a record %v after it could be told that it owns nothing", since)
			}
		}
	})
}

// A slow leader takes long to share out the partitions.
type slowLeader struct {
	kgo.GroupBalancer
	takes time.Duration
}

func (s slowLeader) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	<-time.After(s.takes)
	return s.GroupBalancer.MemberBalancer(members)
}

func TestARebalanceThatTakesLongEndsNoLease(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	quick := func(context.Context, job) error { <-time.After(100 * time.Millisecond); return nil }
	slipwaytest.Run(t, consuming("session: 6s, heartbeat: 1s"), s.wire(quick), func(t *testing.T, k *slipwaytest.Kit) {
		k.Stop(worker)
		join := func(n int) {
			c := k.Client(kgo.ConsumerGroup(jobsGroup), kgo.ConsumeTopics(jobs), kgo.InstanceID(fmt.Sprint("stranger-", n)),
				kgo.SessionTimeout(time.Minute), kgo.DisableAutoCommit(), kgo.Balancers(slowLeader{kgo.CooperativeStickyBalancer(), 20 * time.Second}))
			go c.PollFetches(t.Context())
			k.Advance(30 * time.Second)
		}
		join(1)
		k.Start(worker)
		k.Advance(time.Minute)
		join(2)
		k.Advance(time.Minute)
		if strings.Contains(k.Log(), "group coordinator does not answer") {
			t.Error("a member took the leader's silence for the coordinator's")
		}
	})
}
