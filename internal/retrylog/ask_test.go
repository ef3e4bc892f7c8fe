package retrylog_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/slipway-go/slipway/internal/retrylog"
)

// Older brokers know topics by name, newer ones by id.
var brokers = map[string][]kfake.Opt{
	"2.8":    {kfake.MaxVersions(kversion.V2_8_0())},
	"newest": nil,
}

func TestAtReturnsOneRecord(t *testing.T) {
	t.Parallel()
	for name, cluster := range brokers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withKit(t, cluster, nil, func(k *kit) {
				k.append(1, 0, 1_000) // in a few compressed batches
				for _, i := range []int{0, 1, 499, 998, 999} {
					got, err := k.log.At(k.t.Context(), topic, 1, int64(i), nil)
					if err != nil {
						k.t.Fatal(err)
					}
					want := numbered(1, i)
					if string(got.Value) != string(want.Value) || string(got.Key) != string(want.Key) || !slices.EqualFunc(got.Headers, want.Headers, sameHeader) {
						k.t.Errorf("At(%d) = %v, want %v", i, got, want)
					}
					if got.Topic != topic || got.Partition != 1 || got.Offset != int64(i) {
						k.t.Errorf("At(%d) is from %s/%d at %d", i, got.Topic, got.Partition, got.Offset)
					}
				}
			})
		})
	}
}

func sameHeader(a, b kgo.RecordHeader) bool {
	return a.Key == b.Key && string(a.Value) == string(b.Value)
}

func TestAtTellsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.append(0, 0, 100)
		k.trim(0, 50)
		for _, offset := range []int64{0, 49, 100, 5_000} {
			if _, err := k.log.At(k.t.Context(), topic, 0, offset, nil); !errors.Is(err, retrylog.ErrNoRecord) {
				k.t.Errorf("At(%d) = %v, want ErrNoRecord", offset, err)
			}
		}
		if got, err := k.log.At(k.t.Context(), topic, 0, 50, nil); err != nil || got.Offset != 50 {
			k.t.Errorf("At(50) = %v, %v, want the first that is left", got, err)
		}
	})
}

func TestQuestionsFindTheNewLeader(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.append(0, 0, 20)
		for i := range int64(5) {
			k.elsewhere(0)
			if _, err := k.log.At(k.t.Context(), topic, 0, 10+i, nil); err != nil {
				k.t.Errorf("At: %v", err)
			}
			k.elsewhere(0)
			k.trim(0, i+1)
			k.elsewhere(0)
			got, err := k.log.Bounds(k.t.Context(), topic, 0)
			if want := (retrylog.Bounds{Start: i + 1, End: 20}); err != nil || got[0] != want {
				k.t.Errorf("Bounds = %v, %v, want %v", got, err, want)
			}
		}
	})
}

func TestQuestionsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.append(0, 0, 1)
		for _, key := range []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets, kmsg.DeleteRecords, kmsg.OffsetFetch} {
			k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.NotLeaderForPartition, Count: -1})
		}
		for name, ask := range map[string]func(context.Context) error{
			"At":          func(ctx context.Context) error { _, err := k.log.At(ctx, topic, 0, 0, nil); return err },
			"Bounds":      func(ctx context.Context) error { _, err := k.log.Bounds(ctx, topic); return err },
			"DeleteBelow": func(ctx context.Context) error { return k.log.DeleteBelow(ctx, topic, 0, 1) },
		} {
			start := time.Now()
			err := ask(within(k.t, time.Minute))
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, kerr.NotLeaderForPartition) || time.Since(start) > 61*time.Second {
				k.t.Errorf("%s = %v after %v, want a deadline and the cause after a minute", name, err, time.Since(start))
			}
		}
	})
}

func TestAtIsPatientWithPassingErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicID, kerr.FencedLeaderEpoch, kerr.KafkaStorageError, kerr.RequestTimedOut,
	} {
		t.Run(err.Message, func(t *testing.T) {
			t.Parallel()
			withKit(t, nil, nil, func(k *kit) {
				k.append(0, 0, 3)
				fault := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: err, Count: 3})
				if _, err := k.log.At(within(k.t, time.Minute), topic, 0, 1, nil); err != nil || fault.Hits() != 3 {
					k.t.Errorf("At = %v after %d faults, want the record after 3", err, fault.Hits())
				}
			})
		})
	}
}

func TestDenialsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.append(0, 0, 3)
		fault := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets, kmsg.DeleteRecords}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		_, one := k.log.At(k.t.Context(), topic, 0, 1, nil)
		_, two := k.log.Bounds(k.t.Context(), topic)
		three := k.log.DeleteBelow(k.t.Context(), topic, 0, 1)
		for _, err := range []error{one, two, three} {
			if !errors.Is(err, kerr.TopicAuthorizationFailed) {
				k.t.Errorf("got %v, want the denial", err)
			}
		}
		if fault.Hits() > 5 {
			k.t.Errorf("%d requests were made, want at most 5", fault.Hits())
		}
	})
}

func TestDeleteBelowDeletesOnlyWhatLiesBelow(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.append(0, 0, 100)
		k.append(1, 0, 7)
		k.trim(0, 60)
		k.trim(0, 60)
		k.trim(0, 20) // gone already
		if err := k.log.DeleteBelow(k.t.Context(), topic, 0, 101); !errors.Is(err, kerr.OffsetOutOfRange) {
			k.t.Errorf("DeleteBelow beyond the end = %v, want OFFSET_OUT_OF_RANGE", err)
		}
		got, err := k.log.Bounds(k.t.Context(), topic)
		want := map[int32]retrylog.Bounds{0: {Start: 60, End: 100}, 1: {End: 7}, 2: {}, 3: {}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			k.t.Errorf("Bounds: %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestOffsetsComeWithTheirMetadata(t *testing.T) {
	t.Parallel()
	for name, cluster := range brokers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withKit(t, append(cluster, kfake.SeedTopics(2, "orders")), nil, func(k *kit) {
				k.commit("group", "orders", 1, 42, "SW1AAAA")
				k.commit("group", topic, 3, 7, "")
				got, err := k.log.Offsets(k.t.Context(), "group", topic, "orders")
				want := map[string]map[int32]retrylog.Commit{
					"orders": {1: {Offset: 42, Epoch: 3, Metadata: "SW1AAAA"}},
					topic:    {3: {Offset: 7, Epoch: 3}},
				}
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					k.t.Errorf("Offsets: %v (-want +got):\n%s", err, diff)
				}
				if got, err := k.log.Offsets(k.t.Context(), "nobody", "orders"); err != nil || len(got) > 0 {
					k.t.Errorf("Offsets of another group = %v, %v, want none", got, err)
				}
			})
		})
	}
}

func TestOffsetsWaitForOpenTransactions(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.commit("group", topic, 0, 5, "")
		fault := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Topic: topic, Err: kerr.UnstableOffsetCommit, Count: 3})
		got, err := k.log.Offsets(within(k.t, time.Minute), "group", topic)
		if err != nil || got[topic][0].Offset != 5 || fault.Hits() != 3 {
			k.t.Errorf("Offsets = %v, %v after %d faults, want 5 after 3", got, err, fault.Hits())
		}
	})
}

// commit commits as a group's member without a generation would.
func (k *kit) commit(group, topic string, partition int32, offset int64, metadata string) {
	k.t.Helper()
	client, err := kgo.NewClient(k.opts...)
	if err != nil {
		k.t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = group
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = topic, k.fake.TopicInfo(topic).TopicID
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = partition, offset, 3, &metadata
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(k.t.Context(), client)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode); err != nil {
		k.t.Fatal(err)
	}
}
