package slipway_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAnOffsetThatIsGoneFollowsTheContractsGapPolicy(t *testing.T) {
	t.Parallel()
	for policy, tt := range map[string]struct {
		want []int64
		err  error
	}{
		"gap: stop":     {nil, slipway.ErrOffsetGone},
		"gap: earliest": {[]int64{6, 7, 8, 9}, nil},
		"gap: latest":   {nil, nil},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			readingBeside(t, policy, forward, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
				sendOrders(k, 0, 10)
				if err := k.Kafka().DeleteRecords(orders, 0, 6); err != nil {
					t.Fatal(err)
				}
				got, err := all(r.Read(t.Context(), 0, slipway.At(3), slipway.UntilEnd()))
				if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
					t.Errorf("read %v, %v; want %v, %v", got, err, tt.want, tt.err)
				}
				for _, never := range []int64{11, -5} {
					if _, err := all(r.Read(t.Context(), 0, slipway.At(never), slipway.UntilEnd())); !errors.Is(err, slipway.ErrOffsetGone) {
						t.Errorf("from offset %d of 6 to 9: %v, want ErrOffsetGone", never, err)
					}
				}
			})
		})
	}
}

func TestRetentionThatOvertakesAReaderIsToldOrGoneAlongWith(t *testing.T) {
	t.Parallel()
	for policy, tt := range map[string]struct {
		want []int64
		gone bool // told, as the last thing
	}{
		"gap: stop":     {nil, true},
		"gap: earliest": {[]int64{6, 7, 8, 9}, false},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			readingBeside(t, policy, forward, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
				sendOrders(k, 0, 10)
				denied := k.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: orders, Err: kerr.TopicAuthorizationFailed, Count: -1})
				l := listen(t, r, slipway.Oldest())
				k.Advance(2 * time.Second) // it has begun, and has read nothing yet
				if err := k.Kafka().DeleteRecords(orders, 0, 6); err != nil {
					t.Fatal(err)
				}
				denied.Remove()
				k.Advance(time.Minute)
				_, faults := l.heard()
				gone := len(faults) > 0 && errors.Is(faults[len(faults)-1], slipway.ErrOffsetGone)
				got, _ := l.stop()
				if !slices.Equal(got, tt.want) || l.ended != tt.gone || gone != tt.gone {
					t.Errorf("read %v, told %v, ended by itself: %v; want %v and ErrOffsetGone: %v", got, faults, l.ended, tt.want, tt.gone)
				}
			})
		})
	}
}

// Compaction may leave nothing at the end of a partition: the last record was a
// tombstone that is long over. The end is where it was all the same.
func TestUntilEndEndsThoughTheLastOffsetsAreEmpty(t *testing.T) {
	t.Parallel()
	reading(t, func(t *testing.T, k *slipwaytest.Kit, r *slipway.Reader[order]) {
		sendOrders(k, 0, 3)
		k.Kafka().ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			resp := endsAt(req.(*kmsg.ListOffsetsRequest), 5)
			return resp, nil, resp != nil
		})
		k.Kafka().ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Kafka().KeepControl()
			resp := nothingFrom(req.(*kmsg.FetchRequest), 3, 5)
			return resp, nil, resp != nil
		})
		got, err := all(r.Read(t.Context(), 0, slipway.Oldest(), slipway.UntilEnd()))
		if err != nil || !slices.Equal(got, []int64{0, 1, 2}) {
			t.Errorf("read %v, %v; want 0, 1, 2", got, err)
		}
	})
}

// endsAt answers who asks for the end of a partition.
func endsAt(req *kmsg.ListOffsetsRequest, end int64) kmsg.Response {
	if len(req.Topics) != 1 || req.Topics[0].Partitions[0].Timestamp != -1 {
		return nil
	}
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	p := kmsg.NewListOffsetsResponseTopicPartition()
	p.Partition, p.Offset = req.Topics[0].Partitions[0].Partition, end
	t := kmsg.NewListOffsetsResponseTopic()
	t.Topic, t.Partitions = req.Topics[0].Topic, append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return resp
}

// nothingFrom answers who fetches from an offset or behind it: nothing is there
// up to the end.
func nothingFrom(req *kmsg.FetchRequest, offset, end int64) kmsg.Response {
	if len(req.Topics) != 1 || req.Topics[0].Partitions[0].FetchOffset < offset {
		return nil
	}
	<-time.After(100 * time.Millisecond) // as long as a broker waits for records
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	p := kmsg.NewFetchResponseTopicPartition()
	p.Partition, p.HighWatermark, p.LastStableOffset = req.Topics[0].Partitions[0].Partition, end, end
	t := kmsg.NewFetchResponseTopic()
	t.Topic, t.TopicID, t.Partitions = req.Topics[0].Topic, req.Topics[0].TopicID, append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return resp
}
