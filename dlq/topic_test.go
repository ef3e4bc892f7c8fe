package dlq_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

func TestSourcesAreWhatTheContractSays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		consume, retry string
		order          contract.Order
	}{
		"waits":         {waits, retry, contract.ByKey},
		"parks":         {"{retry: {then: park}}", retry, contract.ByKey},
		"neither":       {"{}", retry, contract.ByKey},
		"whole":         {"{order: partition}", retry, contract.ByPartition},
		"a share group": {"{as: share, order: none}", "", contract.Unordered},
	} {
		want := []dlq.Source{{
			Service: "s", Entry: orders, Topic: dead, Retry: tt.retry, Origin: orders, Group: "svc-s-dev", Progress: redrive, Order: tt.order,
		}}
		if diff := cmp.Diff(want, dlq.Sources(estate(t, tt.consume), contract.Embedded)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := dlq.Sources(estate(t, "{retry: {then: stop}}"), contract.Embedded); len(got) != 0 {
		t.Errorf("an entry without dead letters: %v", got)
	}
	if got := dlq.Sources(estate(t, waits), "elsewhere"); len(got) != 0 {
		t.Errorf("on another cluster: %v", got)
	}
}

func TestASummaryCountsWhatIsThere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := b.client()
	if got, err := c.Summarize(t.Context(), b.source, dlq.Query{}); err != nil || got.Letters != 0 || got.Missing {
		t.Errorf("of an empty topic: %+v, %v", got, err)
	}
	b.die(0, "a", dlq.Exhausted)
	b.die(0, "p", dlq.Parked, "slipway-life", "t")
	b.die(0, "p", dlq.Parked, "slipway-life", "t")
	b.die(2, "q", dlq.Parked, "slipway-life", "t")
	key := "q"
	run(t, c, dlq.Redrive{Source: b.source, Rate: fast, Query: dlq.Query{Key: &key}})
	got, err := c.Summarize(t.Context(), b.source, dlq.Query{})
	want := dlq.Summary{
		Source: b.source, Letters: 4, Sent: 1, ParkedKeys: 1, Reasons: map[string]int{dlq.Exhausted: 1, dlq.Parked: 3}, Oldest: written, Newest: written,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("summary (-want +got):\n%s\n%v", diff, err)
	}
	filter, err := dlq.NewFilter(`reason == "parked" && headers["none"] == "x" || key == "a"`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Summarize(t.Context(), b.source, dlq.Query{Filter: filter}); err != nil || got.Letters != 1 || got.Undecided != 3 {
		t.Errorf("filtered: %+v, %v, want one, and three without an answer", got, err)
	}
}

func TestATopicThatIsStillToBeCreatedIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fake.ControlKey(int16(kmsg.Metadata), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		return nil, nil, false
	})
	s := b.source
	s.Topic = "svc-s-dev.none.dlq"
	how, err := b.login("admin").Options()
	if err != nil {
		t.Fatal(err)
	}
	c, err := dlq.Open(dlq.Config{Options: how})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.Summarize(t.Context(), s, dlq.Query{}); err != nil || !got.Missing {
		t.Errorf("Summarize() = %+v, %v, want it missing", got, err)
	}
	s = b.source
	s.Retry = "svc-s-dev.none.retry"
	if _, err := c.Prepare(t.Context(), dlq.Redrive{Source: s}); !errors.Is(err, diag.DLQNoRetry) {
		t.Errorf("Prepare() = %v, want %s", err, diag.DLQNoRetry)
	}
}

func TestLettersAreReadInOrderUpToTheLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 9 {
		b.die(int32(2-i%3), fmt.Sprint("o-", i), dlq.Exhausted)
	}
	var got []string
	for l, err := range b.client().Letters(t.Context(), b.source, dlq.Query{Limit: 5}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l.String()+" "+l.KeyText())
	}
	want := []string{dead + "/0/0 o-2", dead + "/0/1 o-5", dead + "/0/2 o-8", dead + "/1/0 o-1", dead + "/1/1 o-4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
}

func TestALetterIsFoundByItsPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := b.die(1, "k", dlq.Exhausted)
	c := b.client()
	if l, err := c.Letter(t.Context(), b.source, at); err != nil || l.Ref != at || l.KeyText() != "k" {
		t.Errorf("Letter() = %+v, %v", l, err)
	}
	at.Offset++
	if _, err := c.Letter(t.Context(), b.source, at); !errors.Is(err, diag.DLQNoLetter) {
		t.Errorf("Letter() = %v, want %s", err, diag.DLQNoLetter)
	}
}

// The last offsets of a topic may be a transaction's marker and letters that
// were never committed.
func TestLettersOfATransactionAreThoseThatWereCommitted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	producer := b.newHand(kgo.TransactionalID("t"))
	for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		r := letter("slipway-reason", "rejected")
		r.Topic, r.Partition = dead, 0
		if err := producer.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := producer.EndTransaction(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range b.client().Letters(t.Context(), b.source, dlq.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d letters, want the committed one", n)
	}
}

func TestATopicThatGivesNothingIsToldAndNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "k", dlq.Exhausted)
	b.fake.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		return nil, errors.New("away"), true
	})
	c := b.client(func(cfg *dlq.Config) { cfg.Patience = 300 * time.Millisecond })
	if _, err := c.Summarize(t.Context(), b.source, dlq.Query{}); !errors.Is(err, diag.DLQStalled) {
		t.Errorf("Summarize() = %v, want %s", err, diag.DLQStalled)
	}
}

func TestAPurgeDeletesWhatItShowed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 {
		b.die(0, "a", dlq.Exhausted)
	}
	b.die(1, "b", dlq.Rejected)
	c := b.client()
	key := "b"
	run(t, c, dlq.Redrive{Source: b.source, Rate: fast, Query: dlq.Query{Key: &key}})

	below, err := c.PreparePurge(t.Context(), dlq.Purge{Source: b.source, Below: &dlq.Ref{Topic: dead, Partition: 0, Offset: 2}})
	if err != nil || below.Letters != 2 || below.Unsent != 2 || below.Offsets[0] != 2 {
		t.Fatalf("PreparePurge(below) = %+v, %v", below, err)
	}
	if err := c.Remove(t.Context(), below); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Summarize(t.Context(), b.source, dlq.Query{}); err != nil || got.Letters != 2 {
		t.Errorf("after it: %+v, %v, want 2 letters", got, err)
	}
	all, err := c.PreparePurge(t.Context(), dlq.Purge{Source: b.source, Before: written.Add(time.Second)})
	if err != nil || all.Letters != 2 || all.Unsent != 1 {
		t.Fatalf("PreparePurge(before) = %+v, %v", all, err)
	}
	if err := c.Remove(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if none, err := c.PreparePurge(t.Context(), dlq.Purge{Source: b.source, Before: written}); err != nil || !none.Empty() {
		t.Errorf("once more: %+v, %v, want nothing", none, err)
	}
}

func TestTheOnlyWayToReleaseAKeyIsNotPurged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "p", dlq.Parked, "slipway-life", "t")
	c := b.client()
	p := dlq.Purge{Source: b.source, Before: written.Add(time.Second)}
	r, err := c.PreparePurge(t.Context(), p)
	if err != nil || r.Held != 1 {
		t.Fatalf("PreparePurge() = %+v, %v", r, err)
	}
	if err := c.Remove(t.Context(), r); !errors.Is(err, diag.DLQHeld) {
		t.Errorf("Remove() = %v, want %s", err, diag.DLQHeld)
	}
	run(t, c, dlq.Redrive{Source: b.source, Rate: fast})
	if r, err = c.PreparePurge(t.Context(), p); err != nil || r.Held != 0 {
		t.Errorf("after its release: %+v, %v", r, err)
	}
	if err := c.Remove(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestAPurgeThatFailsNamesThePartitions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "a", dlq.Exhausted)
	c := b.client()
	r, err := c.PreparePurge(t.Context(), dlq.Purge{Source: b.source, Before: written.Add(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[int16]diag.Code{
		kerr.PolicyViolation.Code: diag.DLQPurge, kerr.TopicAuthorizationFailed.Code: diag.DLQDenied,
	} {
		b.fake.ControlKey(int16(kmsg.DeleteRecords), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
			resp := kreq.ResponseKind().(*kmsg.DeleteRecordsResponse)
			topic := kmsg.NewDeleteRecordsResponseTopic()
			one := kmsg.NewDeleteRecordsResponseTopicPartition()
			one.ErrorCode = code
			topic.Topic, topic.Partitions = dead, append(topic.Partitions, one)
			resp.Topics = append(resp.Topics, topic)
			return resp, nil, true
		})
		if err := c.Remove(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("Remove() = %v, want %s", err, want)
		}
	}
}

func TestAKeyIsParkedWhereItsRecordsAre(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(2, "o-1", dlq.Rejected)
	c := b.client()
	p, err := c.PartitionOf(t.Context(), b.source, []byte("o-1"))
	if err != nil || p != 2 {
		t.Errorf("PartitionOf() = %d, %v, want what a letter says", p, err)
	}
	if _, err := c.PartitionOf(t.Context(), b.source, []byte("o-2")); !errors.Is(err, diag.DLQKey) {
		t.Errorf("PartitionOf() = %v, want %s", err, diag.DLQKey)
	}
	for by, want := range map[contract.Partitioner]int32{contract.Java: 0, contract.Sarama: 0, contract.Librdkafka: 2} {
		s := b.source
		s.Partitioner = by
		if got, err := c.PartitionOf(t.Context(), s, []byte("o-2")); err != nil || got != want {
			t.Errorf("PartitionOf(%s) = %d, %v, want %d", by, got, err, want)
		}
	}
	if err := errors.Join(c.Park(t.Context(), b.source, []byte("o-1"), p), c.Unpark(t.Context(), b.source, []byte("o-1"), p)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2 park  0 0 o-1 redrives=0", "2 release  0 0 o-1 redrives=0"}, b.told()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if err := c.Park(t.Context(), b.source, []byte("o-1"), 3); !errors.Is(err, diag.DLQKey) {
		t.Errorf("Park() = %v, want %s", err, diag.DLQKey)
	}
}
