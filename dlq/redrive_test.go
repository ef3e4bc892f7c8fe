package dlq_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/parking"
)

const fast = 1e6 // letters a second

// run prepares and runs a redrive that must come to its end.
func run(t *testing.T, c *dlq.Client, r dlq.Redrive) dlq.Report {
	t.Helper()
	p, err := c.Prepare(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Run(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestALetterGoesBackToTheFailingGroupAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "o-1", dlq.Exhausted)
	b.die(2, "o-2", dlq.Rejected, "slipway-redrives", "1")
	b.die(2, "o-3", dlq.Parked, "slipway-life", "topicid", "slipway-epoch", "5")
	got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast})
	if got.Counts.Inject != 2 || got.Counts.Release != 1 || got.Counts.Refused != 0 || got.Counts.Read != 3 {
		t.Errorf("counts = %+v", got.Counts)
	}
	id := got.Plan.Name()
	want := []string{
		fmt.Sprintf(`0 inject %s/0 -1 0 o-1 redrives=1 at 2026-11-20T09:58:00Z: "value 0" ce_id=e-0`, id),
		fmt.Sprintf(`2 inject %s/2 -1 0 o-2 redrives=2 at 2026-11-20T09:58:00Z: "value 0" ce_id=e-0`, id),
		`2 release topicid 5 101 o-3 redrives=0`,
	}
	if diff := cmp.Diff(want, b.told()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func TestASecondRedriveSendsNothingAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 5 {
		b.die(0, fmt.Sprint("o-", i), dlq.Exhausted)
	}
	key := "o-2"
	if got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast, Query: dlq.Query{Key: &key}}); got.Counts.Inject != 1 {
		t.Errorf("by key: %+v, want one", got.Counts)
	}
	if got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast, Query: dlq.Query{Limit: 2}}); got.Counts.Inject != 2 || got.Counts.Before != 0 {
		t.Errorf("the first two: %+v", got.Counts)
	}
	if got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast}); got.Counts.Inject != 2 || got.Counts.Before != 3 {
		t.Errorf("the rest: %+v, want 2 sent and 3 before", got.Counts)
	}
	p, err := b.client().Prepare(t.Context(), dlq.Redrive{Source: b.source})
	if err != nil || !p.Empty() || p.Counts.Before != 5 {
		t.Errorf("once more: %+v, %v, want nothing to send", p.Counts, err)
	}
	if got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast, Again: true}); got.Counts.Inject != 5 {
		t.Errorf("again: %+v, want all 5", got.Counts)
	}
	if n := len(b.commands()); n != 10 {
		t.Errorf("%d commands, want 10", n)
	}
}

func TestALetterThatCannotGoBackIsRefusedWithACode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		headers []string
		key     string
		change  func(*dlq.Redrive)
		want    diag.Code // empty if it is sent
	}{
		"came back three times":     {[]string{"slipway-redrives", "3"}, "k", nil, diag.DLQLoop},
		"parked three times":        {[]string{"slipway-reason", "parked", "slipway-life", "t", "slipway-redrives", "3"}, "k", nil, diag.DLQLoop},
		"came back, forced":         {[]string{"slipway-redrives", "3"}, "k", func(r *dlq.Redrive) { r.Force = true }, ""},
		"came back, allowed":        {[]string{"slipway-redrives", "3"}, "k", func(r *dlq.Redrive) { r.MaxRedrives = 4 }, ""},
		"forged count":              {[]string{"slipway-redrives", "-7"}, "k", nil, diag.DLQBadHeader},
		"of another topic":          {[]string{"__dlq.errors.topic", "__consumer_offsets"}, "k", nil, diag.DLQBadHeader},
		"of another group":          {[]string{"__dlq.errors.group", "svc-other-dev"}, "k", nil, diag.DLQBadHeader},
		"of a partition too far":    {[]string{"__dlq.errors.partition", "3"}, "k", nil, diag.DLQBadHeader},
		"of no partition":           {[]string{"__dlq.errors.partition", "x"}, "k", nil, diag.DLQBadHeader},
		"parked without ticket":     {[]string{"slipway-reason", "parked"}, "k", nil, diag.DLQBadHeader},
		"not parked, to be skipped": {nil, "k", func(r *dlq.Redrive) { r.Action = dlq.Skip }, diag.DLQNotParked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.die(1, tt.key, dlq.Exhausted, tt.headers...)
			r := dlq.Redrive{Source: b.source, Rate: fast}
			if tt.change != nil {
				tt.change(&r)
			}
			got := run(t, b.client(), r)
			switch {
			case tt.want == "" && (got.Counts.Inject != 1 || got.Counts.Refused != 0):
				t.Errorf("counts = %+v, want it sent", got.Counts)
			case tt.want != "" && (got.Counts.Refused != 1 || got.Counts.Refusals[0].Code != tt.want || len(b.commands()) != 0):
				t.Errorf("counts = %+v, want %s", got.Counts, tt.want)
			}
		})
	}
}

// Without evidence nobody knows where a key is; a record without one may go
// anywhere.
func TestALetterWithoutEvidenceGoesBackOnlyIfItHasNoKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(&kgo.Record{Topic: dead, Partition: 1, Value: []byte("v")})
	b.write(&kgo.Record{Topic: dead, Partition: 1, Key: []byte{}, Value: []byte("v")})
	got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast})
	if got.Counts.Inject != 1 || got.Counts.Refused != 1 || got.Counts.Refusals[0].Code != diag.DLQBadHeader {
		t.Errorf("counts = %+v, want one sent and one refused", got.Counts)
	}
	if all := b.commands(); len(all) != 1 || all[0].Partition != 1 {
		t.Errorf("commands = %v", b.told())
	}
}

func TestASkippedKeyGoesOnWithoutItsHead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(2, "o-3", dlq.Parked, "slipway-life", "topicid")
	got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast, Action: dlq.Skip})
	if got.Counts.Skip != 1 {
		t.Errorf("counts = %+v", got.Counts)
	}
	if diff := cmp.Diff([]string{"2 skip topicid -1 100 o-3 redrives=0"}, b.told()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func TestAKilledRedriveGoesOnUnderItsOwnName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 30 {
		b.die(int32(i%3), fmt.Sprint("o-", i), dlq.Exhausted)
	}
	// Each commit but the first one fails, as if the process were gone.
	commits := 0
	b.fake.ControlKey(int16(kmsg.OffsetCommit), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		if commits++; commits == 1 || commits > 2 {
			return nil, nil, false
		}
		return refuseCommit(kreq), nil, true
	})
	r := dlq.Redrive{Source: b.source, Rate: fast}
	c := b.client()
	p, err := c.Prepare(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context(), p, nil); err == nil {
		t.Fatal("the redrive came to its end")
	}
	before := len(b.commands())

	again, err := b.client().Prepare(t.Context(), r)
	if err != nil || !again.Resumed || again.Name() != p.Name() {
		t.Fatalf("Prepare() = %+v, %v, want it to go on with %s", again, err, p.Name())
	}
	if _, err := b.client().Prepare(t.Context(), dlq.Redrive{Source: b.source, Query: dlq.Query{Reasons: []string{dlq.Exhausted}}}); !errors.Is(err, diag.DLQUnfinished) {
		t.Errorf("another selection meanwhile: %v, want %s", err, diag.DLQUnfinished)
	}
	got := run(t, b.client(), r)
	if got.Counts.Inject != 30 {
		t.Errorf("counts = %+v, want all that nobody remembers", got.Counts)
	}
	told := b.told()
	slices.Sort(told)
	if len(told) != before+30 || len(slices.Compact(told)) != 30 {
		t.Errorf("%d commands, %d of them different; want %d and 30", before+30, len(slices.Compact(told)), before+30)
	}
}

func refuseCommit(kreq kmsg.Request) kmsg.Response {
	req := kreq.(*kmsg.OffsetCommitRequest)
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, topic := range req.Topics {
		out := kmsg.NewOffsetCommitResponseTopic()
		out.Topic, out.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			one := kmsg.NewOffsetCommitResponseTopicPartition()
			one.Partition, one.ErrorCode = p.Partition, kerr.UnknownServerError.Code
			out.Partitions = append(out.Partitions, one)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return resp
}

func TestAnInterruptedRedriveRepeatsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 40 {
		b.die(int32(i%2), fmt.Sprint("o-", i), dlq.Exhausted)
	}
	r := dlq.Redrive{Source: b.source, Rate: 200}
	c := b.client()
	p, err := c.Prepare(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	got, err := c.Run(ctx, p, func(n dlq.Counts) {
		if n.Inject >= 5 {
			cancel(enough)
		}
	})
	if !errors.Is(err, enough) || got.Counts.Inject < 5 || got.Counts.Inject >= 40 {
		t.Fatalf("Run() = %+v, %v, want it interrupted on its way", got.Counts, err)
	}
	// Another selection may come between: what was sent is known.
	if _, err := c.Prepare(t.Context(), dlq.Redrive{Source: b.source, Again: true}); err != nil {
		t.Errorf("another selection: %v", err)
	}
	rest := run(t, c, dlq.Redrive{Source: b.source, Rate: 200})
	if !rest.Plan.Resumed || got.Counts.Inject+rest.Counts.Inject != 40 {
		t.Errorf("%d and %d letters, want 40 in all", got.Counts.Inject, rest.Counts.Inject)
	}
	told := b.told()
	slices.Sort(told)
	if len(told) != 40 || len(slices.Compact(told)) != 40 {
		t.Errorf("%d commands, want 40 different ones", len(told))
	}
}

func TestAnAbandonedRedriveIsOutOfTheWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "a", dlq.Exhausted)
	b.die(1, "b", dlq.Rejected)
	running, _ := dlq.Progress{State: dlq.Running, Redrive: [16]byte{1}, End: 1}.Encode()
	if err := kafka.NewLog(b.hand).Commit(t.Context(), b.source.Progress, dead, map[int32]kafka.Position{0: {Metadata: running}}); err != nil {
		t.Fatal(err)
	}
	c := b.client()
	r := dlq.Redrive{Source: b.source, Rate: fast, Query: dlq.Query{Partitions: []int32{1}}}
	if _, err := c.Prepare(t.Context(), r); !errors.Is(err, diag.DLQUnfinished) {
		t.Errorf("Prepare() = %v, want %s", err, diag.DLQUnfinished)
	}
	r.Abandon = true
	run(t, c, r)
	if got := run(t, c, dlq.Redrive{Source: b.source, Rate: fast}); got.Plan.Resumed || got.Counts.Inject != 1 || got.Counts.Before != 1 {
		t.Errorf("after it: %+v", got.Counts)
	}
}

func TestARedriveKeepsToItsRate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 21 {
		b.die(0, fmt.Sprint(i), dlq.Exhausted)
	}
	got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: 50})
	if got.Took < 300*time.Millisecond { // 21 letters, 5 of them at once
		t.Errorf("took %v for 21 letters at 50 a second", got.Took)
	}
}

func TestCommandsOfOneKeyAreAcknowledgedInTurn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 20 {
		b.die(0, "same", dlq.Exhausted)
	}
	inFlight := 0
	b.fake.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		inFlight++
		return nil, nil, false
	})
	run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast})
	if inFlight < 20 {
		t.Errorf("20 letters of a key in %d requests, want one each", inFlight)
	}
}

func TestWhatIsNotAllowedIsToldWithTheRightThatIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "k", dlq.Exhausted)
	other := b.source
	other.Topic = "payments"
	for name, s := range map[string]struct {
		source dlq.Source
		want   diag.Code
	}{
		"reading another topic": {other, diag.DLQDenied},
		"another retry topic":   {func() dlq.Source { s := b.source; s.Retry = orders; return s }(), diag.DLQDenied},
		"another group":         {func() dlq.Source { s := b.source; s.Progress = "g"; return s }(), diag.DLQDenied},
		"no retry topic":        {func() dlq.Source { s := b.source; s.Retry = ""; return s }(), diag.DLQNoRetry},
	} {
		_, err := b.client().Prepare(t.Context(), dlq.Redrive{Source: s.source})
		if !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %s", name, err, s.want)
		}
		if s.want == diag.DLQDenied && err != nil && !strings.Contains(err.Error(), "User:"+redrive) {
			t.Errorf("%s: %v does not name the principal", name, err)
		}
	}
}

func TestALetterTooLargeForTheRetryTopicIsRefusedAndTheOthersGo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "a", dlq.Exhausted)
	b.die(0, "b", dlq.Exhausted, "own", noise(4000))
	b.die(0, "c", dlq.Exhausted)
	b.fake.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		resp, refused := refuseLarge(kreq, 2000)
		return resp, nil, refused
	})
	got := run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast})
	if got.Counts.Inject != 2 || got.Counts.Refused != 1 || got.Counts.Refusals[0].Code != diag.DLQTooLarge {
		t.Errorf("counts = %+v, want two sent and one refused", got.Counts)
	}
}

// refuseLarge answers as a broker whose topics take no larger batches.
func refuseLarge(kreq kmsg.Request, limit int) (kmsg.Response, bool) {
	req := kreq.(*kmsg.ProduceRequest)
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	refused := false
	for _, topic := range req.Topics {
		out := kmsg.NewProduceResponseTopic()
		out.Topic, out.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			one := kmsg.NewProduceResponseTopicPartition()
			one.Partition, one.ErrorCode = p.Partition, kerr.MessageTooLarge.Code
			out.Partitions = append(out.Partitions, one)
			refused = refused || len(p.Records) > limit
		}
		resp.Topics = append(resp.Topics, out)
	}
	return resp, refused
}

// noise is text that no compression makes smaller.
func noise(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(rand.Text())
	}
	return b.String()
}

// A command that is refused ends the redrive; what may have arrived is repeated
// under the same name.
func TestACommandThatIsNotTakenEndsTheRedriveWhichGoesOnLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 6 {
		b.die(0, "same", dlq.Exhausted) // one request each
	}
	requests := 0
	b.fake.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		if requests++; requests != 3 {
			return nil, nil, false
		}
		resp, _ := refuseLarge(kreq, 0)
		for i := range resp.(*kmsg.ProduceResponse).Topics {
			for j := range resp.(*kmsg.ProduceResponse).Topics[i].Partitions {
				resp.(*kmsg.ProduceResponse).Topics[i].Partitions[j].ErrorCode = kerr.InvalidRecord.Code
			}
		}
		return resp, nil, true
	})
	c := b.client()
	r := dlq.Redrive{Source: b.source, Rate: fast}
	p, err := c.Prepare(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Run(t.Context(), p, nil)
	if !errors.Is(err, diag.DLQSend) || got.Counts.Inject != 2 {
		t.Fatalf("Run() = %+v, %v, want two sent and %s", got.Counts, err, diag.DLQSend)
	}
	rest := run(t, c, r)
	if !rest.Plan.Resumed || rest.Plan.Name() != p.Name() || rest.Counts.Inject != 4 {
		t.Errorf("the rest: %+v, want 4 of the same redrive", rest.Counts)
	}
	if n := len(b.commands()); n != 6 {
		t.Errorf("%d commands, want 6", n)
	}
}

// A letter that comes while a redrive goes on is not of it.
func TestARedriveEndsWithTheLettersThatItFound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "a", dlq.Exhausted)
	c := b.client()
	p, err := c.Prepare(t.Context(), dlq.Redrive{Source: b.source, Rate: fast})
	if err != nil {
		t.Fatal(err)
	}
	b.die(0, "b", dlq.Exhausted)
	if got, err := c.Run(t.Context(), p, nil); err != nil || got.Counts.Inject != 1 {
		t.Errorf("Run() = %+v, %v, want the one that was there", got.Counts, err)
	}
	if got := run(t, c, dlq.Redrive{Source: b.source, Rate: fast}); got.Counts.Inject != 1 || got.Counts.Before != 1 {
		t.Errorf("the next: %+v", got.Counts)
	}
}

// Two redrives have lives of their own: an old letter that is sent after a
// newer one of its key is not taken for settled.
func TestEveryRedriveHasALifeOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.die(0, "k", dlq.Rejected)
	b.die(0, "k", dlq.Exhausted)
	run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast, Query: dlq.Query{Reasons: []string{dlq.Exhausted}}})
	run(t, b.client(), dlq.Redrive{Source: b.source, Rate: fast})
	var lives []string
	for _, r := range b.commands() {
		e, err := parking.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		lives = append(lives, e.Ticket.Life)
	}
	if len(lives) != 2 || lives[0] == lives[1] {
		t.Errorf("lives = %v, want two different ones", lives)
	}
}

// What is kept in order is what the entry says, not always the record's key.
func TestACommandNamesWhatIsKeptInOrder(t *testing.T) {
	t.Parallel()
	for order, want := range map[contract.Order]string{contract.ByKey: `"k"`, contract.ByPartition: `""`, contract.Unordered: "nil"} {
		b := newBench(t)
		b.die(0, "k", dlq.Exhausted)
		s := b.source
		s.Order = order
		run(t, b.client(), dlq.Redrive{Source: s, Rate: fast})
		r := b.commands()[0]
		e, err := parking.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		got := "nil"
		if e.Key != nil {
			got = fmt.Sprintf("%q", e.Key)
		}
		if got != want || string(r.Key) != "k" {
			t.Errorf("order %s: %s of a record with key %q, want %s", order, got, r.Key, want)
		}
	}
}
