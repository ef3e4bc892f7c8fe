package retrylog_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// remake deletes the topic and makes another one of its name, with records of
// somebody else's in partition 0.
func (k *kit) remake(records int) {
	k.t.Helper()
	if err := k.fake.DeleteTopic(topic); err != nil {
		k.t.Fatal(err)
	}
	if err := k.fake.CreateTopic(topic, partitions, nil); err != nil {
		k.t.Fatal(err)
	}
	client, err := kgo.NewClient(append(k.opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		k.t.Fatal(err)
	}
	defer client.Close()
	for i := range records {
		if err := client.ProduceSync(k.t.Context(), numbered(0, 100+i)).FirstErr(); err != nil {
			k.t.Fatal(err)
		}
	}
}

// A broker that has not heard of a topic yet says so, and the client that reads
// is told to ask anew. The one that writes must not forget how far it has
// numbered its batches: the broker would take the next ones for repetitions of
// the first.
func TestATopicThatABrokerDoesNotKnowForAMomentLosesNoAppend(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var b book
		k.log.Follow(topic, 0, fromStart, b.add)
		k.append(0, 0, 1)
		wait(time.Second)
		unknown := k.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: topic, Err: kerr.UnknownTopicID, Count: 10})
		wait(time.Minute)
		for i := range 3 {
			if at := k.append(0, 1+i, 1)[0]; at != int64(1+i) {
				k.t.Errorf("record %d is said to lie at offset %d", 1+i, at)
			}
		}
		wait(time.Minute)
		b.require(k.t, values(0, 0, 4))
		if unknown.Hits() != 10 {
			k.t.Errorf("the topic was unknown %d times, want 10", unknown.Hits())
		}
	})
}

// The other topic may have more records than were read of the one before.
func TestAnotherTopicOfTheSameNameIsReadFromItsStart(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var old, young book
		k.log.Follow(topic, 0, fromStart, func(rec *kgo.Record) {
			if string(rec.Value) < "0/1" {
				old.add(rec)
			} else {
				young.add(rec)
			}
		})
		k.append(0, 0, 1)
		wait(time.Second)
		k.remake(5)
		wait(time.Minute)
		old.require(k.t, values(0, 0, 1))
		young.require(k.t, values(0, 100, 105))
		k.requireTold("0: UNKNOWN_TOPIC_ID", "0: gap 1 to 0", "0: fine")
	})
}

// A partition that nothing was read from may wait for what it wrote itself.
func TestAnotherTopicIsToldOfThoughNothingWasRead(t *testing.T) {
	t.Parallel()
	withKit(t, nil, nil, func(k *kit) {
		var b book
		k.log.Follow(topic, 0, fromStart, b.add)
		wait(time.Second)
		k.remake(0)
		wait(time.Minute)
		k.append(0, 0, 3)
		wait(time.Second)
		b.require(k.t, values(0, 0, 3))
		k.requireTold("0: UNKNOWN_TOPIC_ID", "0: gap 0 to 0", "0: fine")
	})
}
