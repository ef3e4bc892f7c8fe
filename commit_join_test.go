package slipway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/slipwaytest"
)

// joinAndRest makes a member of the group that subscribes to nothing, and does
// nothing once it is in.
func joinAndRest(t *testing.T, client *kgo.Client, group string) {
	t.Helper()
	text := kmsg.NewConsumerMemberMetadata()
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType = group, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 60_000, 60_000
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "cooperative-sticky", text.AppendTo(nil)
	req.Protocols = append(req.Protocols, protocol)
	for range 2 { // the first answer is an id to join with
		resp, err := req.RequestWith(t.Context(), client)
		if err != nil {
			t.Errorf("join group %s: %v", group, err)
			return
		}
		req.MemberID = resp.MemberID
	}
}

// While a member joins anew its client holds a mutex that every commit waits
// for. A commit that is tried then is given up after its time, and so is the
// next one. In a test's bubble nobody moves again: time stands still there while
// anybody waits for a mutex.
func TestAMemberThatJoinsCommitsOnceItHas(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	quick := func(context.Context, job) error { return nil }
	slipwaytest.Run(t, consuming("session: 6s, heartbeat: 1s"), s.wire(quick), func(t *testing.T, k *slipwaytest.Kit) {
		client := k.Client()
		go joinAndRest(t, client, jobsGroup)
		k.Advance(3 * time.Second)
		go joinAndRest(t, client, jobsGroup) // the first one hears of it and does not care
		k.Advance(3 * time.Second)
		for range 10 {
			s.send(k, numbered(20)...)
			k.Advance(time.Second)
		}
		if s.done() == 0 {
			t.Fatal("the worker handled nothing while it joined: there was nothing to commit")
		}
		if committed := committedOf(t, k); committed != 0 {
			t.Fatalf("%d records are committed while the group waits for a member: it does not", committed)
		}
		if strings.Contains(k.Log(), "commit failed") {
			t.Error("a commit was tried while the member joined")
		}
		k.Advance(2 * time.Minute)
		if committed := committedOf(t, k); committed != s.done() || committed != 200 {
			t.Errorf("%d records are committed and %d finished, want 200", committed, s.done())
		}
	})
}

// committedOf is how many records the group has committed.
func committedOf(t *testing.T, k *slipwaytest.Kit) int {
	t.Helper()
	got, err := kadm.NewClient(k.Client()).FetchOffsets(t.Context(), jobsGroup)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	got.Offsets().Each(func(o kadm.Offset) {
		if o.Topic == jobs {
			n += int(o.At)
		}
	})
	return n
}
