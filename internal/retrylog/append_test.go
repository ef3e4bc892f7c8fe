package retrylog_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/retrylog"
)

func TestRecordsAreReadInTheOrderTheyWereAppended(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		books := make([]book, partitions)
		var writers sync.WaitGroup
		for p := range int32(partitions) {
			k.log.Follow(topic, p, fromStart, books[p].add)
			writers.Go(func() { k.append(p, 0, 2_000) })
		}
		writers.Wait()
		wait(time.Second)
		for p := range int32(partitions) {
			books[p].require(k.t, values(p, 0, 2_000))
		}
		k.requireTold()
	})
}

func TestALostAcknowledgementDoesNotDouble(t *testing.T) {
	t.Parallel()
	for _, err := range []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotLeaderForPartition} {
		t.Run(err.Message, func(t *testing.T) {
			t.Parallel()
			withKit(t, nil, nil, func(k *kit) {
				fault := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 3})
				k.append(1, 0, 100)
				if fault.Hits() != 3 {
					k.t.Errorf("the fault came %d times, want 3", fault.Hits())
				}
				var b book
				k.log.Follow(topic, 1, fromStart, b.add)
				wait(time.Second)
				b.require(k.t, values(1, 0, 100))
			})
		})
	}
}

func TestAnAppendThatTookTooLongMayStillBeWritten(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		away := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
		err := k.log.AppendSync(within(k.t, time.Minute), numbered(2, 0))
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, retrylog.ErrNotWritten) {
			k.t.Errorf("AppendSync = %v, want a deadline that leaves it open", err)
		}
		away.Remove()
		var b book
		k.log.Follow(topic, 2, fromStart, b.add)
		wait(time.Minute)
		b.require(k.t, values(2, 0, 1))
	})
}

func TestARefusedRecordIsCertainlyNotWritten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault *kerr.Error
		size  int
		want  bool // ErrNotWritten
	}{
		"larger than a batch":        {size: 2_000_000, want: true},
		"refused by the broker":      {fault: kerr.MessageTooLarge, want: true},
		"denied, perhaps after all":  {fault: kerr.TopicAuthorizationFailed},
		"a policy is against it too": {fault: kerr.PolicyViolation, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withKit(t, nil, nil, func(k *kit) {
				if tt.fault != nil {
					k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: tt.fault, Count: -1})
				}
				rec := numbered(0, 0)
				rec.Value = []byte(strings.Repeat("x", tt.size))
				err := k.log.AppendSync(k.t.Context(), rec)
				if err == nil || errors.Is(err, retrylog.ErrNotWritten) != tt.want {
					k.t.Errorf("AppendSync = %v, want ErrNotWritten: %v", err, tt.want)
				}
			})
		})
	}
}

func TestALargeTopicTakesLargeRecords(t *testing.T) {
	t.Parallel()
	large := []kfake.Opt{kfake.BrokerConfigs(map[string]string{"message.max.bytes": "8388608"})}
	withKit(t, large, func(c *retrylog.Config) {
		c.BatchBytes = func(string) int32 { return 8 << 20 }
	}, func(k *kit) {
		rec := numbered(0, 0)
		rec.Value = []byte(strings.Repeat("x", 4<<20))
		if err := k.log.AppendSync(k.t.Context(), rec); err != nil {
			k.t.Fatal(err)
		}
		got, err := k.log.At(k.t.Context(), topic, 0, rec.Offset, nil)
		if err != nil || len(got.Value) != 4<<20 {
			k.t.Errorf("At = %v, want the record", err)
		}
	})
}

func TestAppendWaitsForRoom(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*retrylog.Config){
		"by count": func(c *retrylog.Config) { c.Buffered = 10 },
		"by bytes": func(c *retrylog.Config) { c.BufferedBytes = 10 * 290 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withKit(t, nil, change, func(k *kit) {
				away := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
				var acked sync.WaitGroup
				taken := 0
				var refused error
				for i := range 11 { // the last one finds no room
					acked.Add(1)
					k.log.Append(within(k.t, time.Minute), numbered(0, i), func(_ *kgo.Record, err error) {
						defer acked.Done()
						if err != nil {
							refused = err
							return
						}
						taken++
					})
				}
				if !errors.Is(refused, retrylog.ErrNotWritten) || !errors.Is(refused, context.DeadlineExceeded) {
					k.t.Errorf("the eleventh append = %v, want a deadline and ErrNotWritten", refused)
				}
				away.Remove()
				acked.Wait()
				if taken != 10 {
					k.t.Errorf("%d were written, want 10", taken)
				}
				k.append(0, 10, 100) // ten at a time
				var b book
				k.log.Follow(topic, 0, fromStart, b.add)
				wait(time.Second)
				b.require(k.t, values(0, 0, 110))
			})
		})
	}
}

func TestCloseGivesBackWhatIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	withKit(t, nil, func(c *retrylog.Config) { c.Buffered = 50 }, func(k *kit) {
		k.append(3, 0, 10)
		k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
		var mu sync.Mutex
		var open, certain int
		var writers sync.WaitGroup
		for p := range int32(partitions) {
			writers.Go(func() {
				for i := range 25 { // half of them wait for room
					k.log.Append(k.t.Context(), numbered(p, i), func(_ *kgo.Record, err error) {
						mu.Lock()
						defer mu.Unlock()
						switch {
						case !errors.Is(err, retrylog.ErrClosed):
							k.t.Errorf("append = %v, want ErrClosed", err)
						case errors.Is(err, retrylog.ErrNotWritten):
							certain++
						default:
							open++
						}
					})
				}
			})
		}
		wait(time.Second)
		k.log.Close()
		if open != 50 {
			k.t.Errorf("%d were given back as uncertain when Close returned, want 50", open)
		}
		writers.Wait()
		if certain != 50 {
			k.t.Errorf("%d were turned away, want 50", certain)
		}
		if _, err := k.log.Bounds(k.t.Context(), topic); !errors.Is(err, retrylog.ErrClosed) {
			k.t.Errorf("Bounds after Close = %v, want ErrClosed", err)
		}
	})
}

func TestAppendedRecordsKnowTheirOffsets(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		got := k.append(0, 0, 300)
		want := make([]int64, 300)
		for i := range want {
			want[i] = int64(i)
		}
		if !slices.Equal(got, want) {
			k.t.Errorf("offsets %v, want 0 to 299", got)
		}
	})
}
