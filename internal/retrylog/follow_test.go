package retrylog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/internal/retrylog"
)

func TestAFollowerBeginsWhereItIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from  kgo.EpochOffset
		first int
		told  []string
	}{
		"the start of the log": {from: fromStart, first: 40},
		"an offset":            {from: at(60), first: 60},
		"with its epoch":       {from: kgo.EpochOffset{Offset: 60, Epoch: 0}, first: 60},
		"the end":              {from: at(100), first: 100},
		"an offset trimmed":    {from: at(10), first: 40, told: []string{"0: gap 10 to 40"}},
		"beyond the end":       {from: at(500), first: 40, told: []string{"0: gap 500 to 40"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withKit(t, nil, nil, func(k *kit) {
				k.append(0, 0, 100)
				k.trim(0, 40)
				var b book
				k.log.Follow(topic, 0, tt.from, b.add)
				wait(time.Second)
				k.append(0, 100, 10)
				wait(time.Second)
				b.require(k.t, values(0, tt.first, 110))
				k.requireTold(tt.told...)
			})
		})
	}
}

func TestAFollowerPassesOverWhatWasDeletedUnderIt(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var b book
		k.log.Follow(topic, 0, fromStart, b.add)
		k.append(0, 0, 10)
		wait(time.Second)
		denied := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		wait(time.Second)
		k.append(0, 10, 20)
		k.trim(0, 25)
		denied.Remove()
		wait(time.Minute)
		b.require(k.t, append(values(0, 0, 10), values(0, 25, 30)...))
		k.requireTold("0: TOPIC_AUTHORIZATION_FAILED", "0: gap 10 to 25", "0: fine")
	})
}

func TestADeniedPartitionIsAskedForSeldom(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var denied, other book
		k.log.Follow(topic, 0, fromStart, denied.add)
		k.log.Follow(topic, 1, fromStart, other.add)
		fault := k.fake.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Fetch}, Topic: topic, Partitions: []int32{0}, Err: kerr.TopicAuthorizationFailed, Count: -1,
		})
		wait(time.Second)
		k.append(0, 0, 10)
		k.append(1, 0, 10)
		wait(10 * time.Minute)
		if hits := fault.Hits(); hits < 10 || hits > 100 {
			k.t.Errorf("it was fetched %d times in ten minutes, want 10 to 100", hits)
		}
		other.require(k.t, values(1, 0, 10))
		fault.Remove()
		wait(20 * time.Second)
		denied.require(k.t, values(0, 0, 10))
		k.requireTold("0: TOPIC_AUTHORIZATION_FAILED", "0: fine")
	})
}

func TestAMissingTopicIsToldOf(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var b book
		k.log.Follow("later", 0, fromStart, b.add)
		wait(time.Minute)
		if told := k.told(); len(told) < 2 || !slices.Equal(slices.Compact(told), []string{"0: UNKNOWN_TOPIC_OR_PARTITION"}) {
			k.t.Errorf("Trouble was told %q, want several times of a missing topic", told)
		}
		if err := k.fake.CreateTopic("later", 1, nil); err != nil {
			k.t.Fatal(err)
		}
		wait(20 * time.Second)
		if err := k.log.AppendSync(k.t.Context(), &kgo.Record{Topic: "later", Value: []byte("x")}); err != nil {
			k.t.Fatal(err)
		}
		wait(time.Second)
		b.require(k.t, []string{"x"})
		if told := k.told(); len(told) == 0 || told[len(told)-1] != "0: fine" {
			k.t.Errorf("Trouble was told %q, want that it is over in the end", told)
		}
	})
}

func TestReadingGoesOnWithANewLeader(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var b book
		k.log.Follow(topic, 0, fromStart, b.add)
		for i := range 10 {
			k.append(0, 10*i, 10)
			k.elsewhere(0)
		}
		wait(10 * time.Second)
		b.require(k.t, values(0, 0, 100))
	})
}

func TestATopicMadeAnewIsReadAndWrittenFromItsStart(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var old, young book
		k.log.Follow(topic, 0, fromStart, func(rec *kgo.Record) {
			if old.last < 9 {
				old.add(rec)
			} else {
				young.add(rec)
			}
		})
		k.append(0, 0, 10)
		wait(time.Second)
		if err := k.fake.DeleteTopic(topic); err != nil {
			k.t.Fatal(err)
		}
		if err := k.fake.CreateTopic(topic, partitions, nil); err != nil {
			k.t.Fatal(err)
		}
		if err := k.log.AppendSync(k.t.Context(), numbered(0, 10)); err == nil {
			k.t.Error("an append went to another topic than those before, and nobody was told")
		}
		wait(time.Minute)
		k.append(0, 20, 10)
		wait(time.Second)
		old.require(k.t, values(0, 0, 10))
		young.require(k.t, values(0, 20, 30))
		k.requireTold("0: UNKNOWN_TOPIC_ID", "0: gap 10 to 0", "0: fine")
	})
}

func TestNoRecordComesAfterStop(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var b book
		f := k.log.Follow(topic, 0, fromStart, b.add)
		k.append(0, 0, 10)
		wait(time.Second)
		f.Stop()
		f.Stop() // twice changes nothing
		k.append(0, 10, 10)
		wait(time.Second)
		b.require(k.t, values(0, 0, 10))
	})
}

func TestAFollowerMayStopItselfAndAnother(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		k.append(0, 0, 10)
		var first, second book
		follow := make(chan func(), 1)
		f := k.log.Follow(topic, 0, fromStart, func(rec *kgo.Record) {
			first.add(rec)
			if rec.Offset == 4 {
				(<-follow)()
			}
		})
		follow <- func() {
			f.Stop()
			k.log.Follow(topic, 0, at(2), second.add)
		}
		wait(time.Second)
		first.require(k.t, values(0, 0, 5))
		second.require(k.t, values(0, 2, 10))
	})
}

// Partitions come and go while records are written; every follower must see
// each record from its offset on, once, in order.
func TestFollowersThatComeAndGoMissNothing(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		random := rand.New(rand.NewPCG(3, 5))
		var writing sync.WaitGroup
		written := 0
		for round := range 60 {
			writing.Go(func() {
				for p := range int32(partitions) {
					k.append(p, 50*round, 50)
				}
			})
			var wrong atomic.Pointer[string]
			for p := range int32(partitions) {
				next := int64(random.IntN(written + 1))
				k.log.Follow(topic, p, at(next), func(rec *kgo.Record) {
					if want := fmt.Sprintf("%d/%d", p, next); rec.Offset != next || string(rec.Value) != want {
						wrong.CompareAndSwap(nil, new(fmt.Sprintf("partition %d: read %s at %d, want %s at %d", p, rec.Value, rec.Offset, want, next)))
					}
					next++
				})
			}
			wait(time.Duration(random.IntN(40)) * time.Millisecond)
			writing.Wait()
			written += 50
			if problem := wrong.Load(); problem != nil {
				k.t.Fatalf("round %d: %s", round, *problem)
			}
		}
		k.requireTold()
	})
}

func TestAPartitionHasOneFollower(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var old, young book
		f := k.log.Follow(topic, 0, fromStart, old.add)
		k.append(0, 0, 5)
		wait(time.Second)
		k.log.Follow(topic, 0, at(3), young.add)
		k.append(0, 5, 5)
		wait(time.Second)
		f.Stop() // too late to concern the other
		k.append(0, 10, 5)
		wait(time.Second)
		old.require(k.t, values(0, 0, 5))
		young.require(k.t, values(0, 3, 15))
	})
}

func TestABatchThatExplodesIsPassedOver(t *testing.T) {
	t.Parallel()
	small := func(c *retrylog.Config) { c.Client = append(c.Client, kgo.MaxDecompressBatchBytes(50_000)) }
	withKit(t, nil, small, func(k *kit) {
		k.append(0, 0, 3)
		bomb := numbered(0, 3)
		bomb.Value = make([]byte, 500_000)
		if err := k.log.AppendSync(k.t.Context(), bomb); err != nil {
			k.t.Fatal(err)
		}
		k.append(0, 4, 3)
		var b book
		k.log.Follow(topic, 0, fromStart, b.add)
		wait(time.Minute)
		b.require(k.t, append(values(0, 0, 3), values(0, 4, 7)...))
		told := k.told()
		if len(told) != 3 || !strings.Contains(told[0], "decompresses to more") || told[1] != "0: gap 3 to 4" || told[2] != "0: fine" {
			k.t.Errorf("Trouble was told %q, want the bomb, the gap, and the end of it", told)
		}
	})
}
