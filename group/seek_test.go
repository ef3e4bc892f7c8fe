package group_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/frontier"
)

func TestASeekGoesWhereItSays(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(2, orders))
	f.produce(orders, 0, minutes(0, 10, 20, 30, 40)...)
	f.produce(orders, 1, minutes(5, 15)...)
	for name, tt := range map[string]struct {
		to   group.Target
		want []int64 // from 3 and 1
	}{
		"earliest":                     {group.Target{Kind: group.Earliest}, []int64{0, 0}},
		"latest":                       {group.Target{Kind: group.Latest}, []int64{5, 2}},
		"an offset":                    {group.Target{Kind: group.AtOffset, Offset: 1}, []int64{1, 1}},
		"an offset beyond the end":     {group.Target{Kind: group.AtOffset, Offset: 4}, []int64{4, 2}},
		"forth":                        {group.Target{Kind: group.By, Offset: 1}, []int64{4, 2}},
		"back":                         {group.Target{Kind: group.By, Offset: -2}, []int64{1, 0}},
		"the time of a record":         {group.Target{Kind: group.AtTime, Time: noon.Add(10 * time.Minute)}, []int64{1, 1}},
		"a time between two records":   {group.Target{Kind: group.AtTime, Time: noon.Add(16 * time.Minute)}, []int64{2, 2}},
		"a time before all records":    {group.Target{Kind: group.AtTime, Time: noon.Add(-time.Hour)}, []int64{0, 0}},
		"a time when nothing is there": {group.Target{Kind: group.AtTime, Time: noon.Add(time.Hour)}, []int64{5, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			id := "g-" + strings.ReplaceAll(name, " ", "-")
			f.commit(id, orders, 0, 3, "")
			f.commit(id, orders, 1, 1, "")
			m := f.apply(f.Seek(t.Context(), group.Seek{Group: id, To: tt.to}))
			if diff := cmp.Diff(tt.want, f.positions(id, orders)); diff != "" {
				t.Errorf("positions (-want +got):\n%s", diff)
			}
			f.apply(f.Restore(t.Context(), group.Restore{Snapshot: m.Before}))
			if diff := cmp.Diff([]int64{3, 1}, f.positions(id, orders)); diff != "" {
				t.Errorf("positions after the undo (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPreviewChangesNothingAndCountsRecords(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(2, orders))
	f.produce(orders, 0, minutes(0, 1, 2, 3, 4)...)
	f.produce(orders, 1, minutes(0, 1, 2)...)
	f.commit(stock, orders, 0, 4, "")
	f.commit(stock, orders, 1, 1, "")
	m, err := f.Seek(t.Context(), group.Seek{Group: stock, To: group.Target{Kind: group.AtOffset, Offset: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if m.Repeated() != 2 || m.Skipped() != 1 || m.Empty() {
		t.Errorf("%d repeated and %d skipped, want 2 and 1", m.Repeated(), m.Skipped())
	}
	if diff := cmp.Diff([]int64{4, 1}, f.positions(stock, orders)); diff != "" {
		t.Errorf("the preview moved the group (-want +got):\n%s", diff)
	}
}

func TestASeekOfSomePartitionsLeavesTheOthers(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(3, orders, "other.v1"))
	for id := range int32(3) {
		f.produce(orders, id, minutes(0, 1, 2)...)
		f.commit(stock, orders, id, 2, "")
		f.commit(stock, "other.v1", id, 0, "")
	}
	m := f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, Partitions: []int32{0, 2}, To: group.Target{Kind: group.Earliest}}))
	if diff := cmp.Diff([]int64{0, 2, 0}, f.positions(stock, orders)); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
	if len(m.Steps) != 2 {
		t.Errorf("%d steps, want 2: %+v", len(m.Steps), m.Steps)
	}
}

func TestAGroupIsNotMovedUnderItsMembers(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]kgo.Opt{
		"classic": {kgo.ConsumerGroup(stock), kgo.ConsumeTopics(orders), kgo.ClientID("stock-7")},
		"KIP-848": {kgo.ConsumerGroup(stock), kgo.ConsumeTopics(orders), kgo.ClientID("stock-7"), kgo.ServerSideBalancer()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, kfake.SeedTopics(2, orders))
			f.produce(orders, 0, minutes(0)...)
			_, leave := f.member(append(opts, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
			m, err := f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, To: group.Target{Kind: group.Latest}})
			if err != nil {
				t.Fatal(err) // a preview is allowed
			}
			err = f.Apply(t.Context(), m)
			requireRefused(t, err, diag.GroupHasMembers)
			evidence := strings.Join(diag.Of(err)[0].Evidence, "\n")
			if !strings.Contains(evidence, "stock-7") || !strings.Contains(evidence, orders+" 0,1") {
				t.Errorf("the refusal does not say who holds what: %s", evidence)
			}
			leave()
			f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, To: group.Target{Kind: group.Latest}}))
		})
	}
}

func TestAPreviewThatIsOldIsNotApplied(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.commit(stock, orders, 0, 1, "")
	m, err := f.Seek(t.Context(), group.Seek{Group: stock, To: group.Target{Kind: group.Earliest}})
	if err != nil {
		t.Fatal(err)
	}
	f.commit(stock, orders, 0, 2, "")
	requireRefused(t, f.Apply(t.Context(), m), diag.GroupStale)
}

func TestWhatDoesNotExistCannotBeMoved(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(2, orders))
	f.commit(stock, orders, 0, 0, "")
	earliest := group.Target{Kind: group.Earliest}
	for name, tt := range map[string]struct {
		seek group.Seek
		want diag.Code
	}{
		"a group":                  {group.Seek{Group: "svc-stok-prod", To: earliest}, diag.GroupUnknown},
		"a topic":                  {group.Seek{Group: stock, Topics: []string{"order.v1"}, To: earliest}, diag.GroupNoPartition},
		"a partition":              {group.Seek{Group: stock, Partitions: []int32{2}, To: earliest}, diag.GroupNoPartition},
		"a group to follow":        {group.Seek{Group: stock, To: group.Target{Kind: group.LikeThat, Group: "none"}}, diag.GroupUnknown},
		"a topic to follow":        {group.Seek{Group: stock, Topics: []string{orders}, To: group.Target{Kind: group.LikeThat, Topic: "none.v1"}}, diag.GroupNoPartition},
		"a place in another topic": {group.Seek{Group: "new", Topics: []string{orders}, To: group.Target{Kind: group.LikeThat, Group: stock, Topic: "else.v1"}}, diag.GroupNoPartition},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Seek(t.Context(), tt.seek)
			requireCode(t, err, tt.want)
		})
	}
}

func TestAGroupGoesWhereAnotherIs(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(2, orders))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.commit("old", orders, 0, 2, "of another client")
	f.commit(stock, orders, 1, 0, "")
	f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, To: group.Target{Kind: group.LikeThat, Group: "old"}}))
	if diff := cmp.Diff([]int64{2, 0}, f.positions(stock, orders)); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
	if got := f.metadata(stock, orders); got != "" {
		t.Errorf("metadata of another group came along: %q", got)
	}
}

func TestAPlaceInAnotherTopicIsCarriedOverByTime(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(2, orders), kfake.SeedTopics(3, "wide.v2"), kfake.SeedTopics(2, "same.v2"))
	f.produce(orders, 0, minutes(0, 10, 20)...)
	f.produce(orders, 1, minutes(5, 15, 25)...)
	f.produce("wide.v2", 0, minutes(0, 10)...)
	f.produce("wide.v2", 1, minutes(20, 25)...)
	f.produce("wide.v2", 2, minutes(5, 15)...)
	f.produce("same.v2", 0, minutes(0, 10, 20)...)
	f.produce("same.v2", 1, minutes(5, 15, 25)...)
	f.commit(stock, orders, 0, 1, "") // 10 is next
	f.commit(stock, orders, 1, 2, "") // 25 is next
	like := group.Target{Kind: group.LikeThat, Topic: orders}
	for topic, want := range map[string][]int64{
		"wide.v2": {1, 0, 1}, // all from 10 on
		"same.v2": {1, 2},    // each from its own
	} {
		f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{topic}, To: like}))
		if diff := cmp.Diff(want, f.positions(stock, topic)); diff != "" {
			t.Errorf("positions in %s (-want +got):\n%s", topic, diff)
		}
	}
	like.Margin = 10 * time.Minute
	f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{"same.v2"}, To: like}))
	if diff := cmp.Diff([]int64{0, 1}, f.positions(stock, "same.v2")); diff != "" {
		t.Errorf("positions with a margin (-want +got):\n%s", diff)
	}
}

// A partition that was never read is one whose records another topic must
// begin with.
func TestAPartitionThatWasNotReadIsCarriedOverWhole(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(2, orders), kfake.SeedTopics(1, "narrow.v2"))
	f.produce(orders, 0, minutes(0, 1)...)
	f.produce("narrow.v2", 0, minutes(0, 1)...)
	f.commit(stock, orders, 0, 2, "")
	f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{"narrow.v2"}, To: group.Target{Kind: group.LikeThat, Topic: orders}}))
	if diff := cmp.Diff([]int64{0}, f.positions(stock, "narrow.v2")); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
}

// fenced is the metadata of the runtime with what is finished ahead.
func fenced(n uint64, at int64, ahead ...frontier.Span) string {
	m := frontier.Metadata{Fence: n}
	if len(ahead) > 0 {
		m.Ahead = frontier.Ranges{At: at, Epoch: -1, Spans: ahead}
	}
	text, _ := m.Encode(0)
	return text
}

func TestASeekKeepsTheFenceAndLeavesTheRetryTopic(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders, retry))
	f.produce(orders, 0, minutes(0, 1, 2, 3, 4)...)
	f.produce(retry, 0, minutes(1, 2, 3)...)
	f.commit(stock, orders, 0, 3, fenced(7, 3, frontier.Span{First: 4, End: 5}))
	f.commit(stock, retry, 0, 1, fenced(7, 1))
	m := f.apply(f.Seek(t.Context(), group.Seek{Group: stock, To: group.Target{Kind: group.AtOffset, Offset: 1}}))
	if got := f.metadata(stock, orders); got != fenced(7, 0) {
		t.Errorf("metadata is %q, want fence 7 and nothing ahead: %q", got, fenced(7, 0))
	}
	if diff := cmp.Diff([]int64{1}, f.positions(stock, retry)); diff != "" {
		t.Errorf("position in the retry topic (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(m.Notes, func(n string) bool {
		return strings.Contains(n, "not handled again") && strings.Contains(n, "--reset-retry")
	}) {
		t.Errorf("the notes do not say what becomes of handed-over records: %q", m.Notes)
	}
	m = f.apply(f.Seek(t.Context(), group.Seek{Group: stock, To: group.Target{Kind: group.Latest}}))
	if !slices.ContainsFunc(m.Notes, func(n string) bool { return strings.Contains(n, "up to 2 records that wait") }) {
		t.Errorf("the notes do not say that waiting records still run: %q", m.Notes)
	}
}

func TestResettingRetryPutsItToItsEnd(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders, retry))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.produce(retry, 0, minutes(1, 2, 3)...)
	f.commit(stock, orders, 0, 3, fenced(7, 3))
	f.commit(stock, retry, 0, 1, fenced(7, 1))
	m := f.apply(f.Seek(t.Context(), group.Seek{Group: stock, ResetRetry: true, To: group.Target{Kind: group.Earliest}}))
	if diff := cmp.Diff([]int64{3}, f.positions(stock, retry)); diff != "" {
		t.Errorf("position in the retry topic (-want +got):\n%s", diff)
	}
	if got := f.metadata(stock, retry); got != fenced(7, 3) {
		t.Errorf("the fence of the retry topic is %q, want 7", got)
	}
	if !slices.ContainsFunc(m.Notes, func(n string) bool { return strings.Contains(n, "2 records are left there") }) {
		t.Errorf("the notes do not say what is left: %q", m.Notes)
	}
}

// Whoever asks for a reset gets it, even where the source stays.
func TestRetryIsResetOfTheNamedTopicsAlone(t *testing.T) {
	t.Parallel()
	const other, otherRetry = "stock.v1", "svc-stock-prod.stock.v1.retry"
	f := start(t, kfake.SeedTopics(1, orders, retry, other, otherRetry))
	for _, topic := range []string{orders, retry, other, otherRetry} {
		f.produce(topic, 0, minutes(0, 1)...)
		f.commit(stock, topic, 0, 0, "")
	}
	f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, ResetRetry: true, To: group.Target{Kind: group.Earliest}}))
	for topic, want := range map[string]int64{orders: 0, retry: 2, other: 0, otherRetry: 0} {
		if got := f.positions(stock, topic)[0]; got != want {
			t.Errorf("position in %s is %d, want %d", topic, got, want)
		}
	}
}
