package slipway_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/slipwaytest"
)

// A member that the group has forgotten joins anew, claims what it had, and may
// keep it without being told that it was assigned, though others had it in
// between.
func TestWhatAForgottenMemberKeepsIsOpenedAnew(t *testing.T) {
	t.Parallel()
	var done calls
	handle := func(_ context.Context, m *slipway.Message[order], _ *slipway.Producer[order]) error {
		done.add(m)
		return nil
	}
	slipwaytest.Run(t, files("park"), ship(handle), func(t *testing.T, k *slipwaytest.Kit) {
		send := func(n int64) {
			k.Send(orders, order{"o-1", n}, slipwaytest.Key("o-1"), slipwaytest.Partition(0))
		}
		send(0)
		k.Advance(5 * time.Second)
		k.SendBytes(retryTopic, nil, nil, func(r *kgo.Record) { // another owner's
			*r = *parking.Encode(parking.Entry{Kind: parking.Fence, Fence: 99, Since: -1}, nil)
			r.Topic, r.Partition = retryTopic, 0
		})
		k.Advance(5 * time.Second)
		send(1)
		k.Advance(time.Minute)
		if got := amounts(done.all(), "o-1"); !slices.Equal(got, []int64{0}) {
			t.Errorf("handled %v, want nothing that came behind another owner's fence", got)
		}
		forgotten := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.UnknownMemberID, Count: 1})
		k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.RebalanceInProgress, Count: 1})
		k.Advance(5 * time.Minute)
		if forgotten.Hits() != 1 {
			t.Fatalf("the member was forgotten %d times, want once", forgotten.Hits())
		}
		send(2)
		k.Advance(time.Minute)
		if got := amounts(done.all(), "o-1"); !slices.Equal(got, []int64{0, 1, 2}) {
			t.Errorf("handled %v, want all in order once the partition is rightfully its own", got)
		}
	})
}
