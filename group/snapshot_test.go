package group_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/frontier"
)

func TestASnapshotIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(3, orders))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.produce(orders, 1, minutes(3)...)
	f.commit(stock, orders, 0, 1, fenced(3, 1))
	f.commit(stock, orders, 1, 1, "")
	want, err := f.Snapshot(t.Context(), stock)
	if err != nil {
		t.Fatal(err)
	}
	p := want.Topics[0].Positions
	if p[0].Time == nil || !p[0].Time.Equal(minutes(1)[0]) {
		t.Errorf("the record at the position is of %v, want %v", p[0].Time, minutes(1)[0])
	}
	if p[1].Time != nil || p[2].Offset != group.NoPosition || want.Untimed() != 0 {
		t.Errorf("positions are %+v, want no time at the end and none in partition 2", p)
	}
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := group.ParseSnapshot(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	const head = `{"kind":"GroupSnapshot","version":1,"clusterId":"c","taken":"2026-05-01T12:00:00Z",`
	for name, text := range map[string]string{
		"nothing":             ``,
		"another document":    `{"kind":"Plan","version":1}`,
		"a later version":     `{"kind":"GroupSnapshot","version":2}`,
		"a field more":        head + `"group":"g","topics":[],"colour":"red"}`,
		"no group":            head + `"topics":[]}`,
		"two documents":       head + `"group":"g","topics":[]}{}`,
		"cut short":           head + `"group":"g","topics":[`,
		"a topic twice":       head + `"group":"g","topics":[{"name":"a","positions":[]},{"name":"a","positions":[]}]}`,
		"a gap of partitions": head + `"group":"g","topics":[{"name":"a","positions":[{"partition":1,"offset":0,"end":0,"leaderEpoch":-1}]}]}`,
		"an offset below -1":  head + `"group":"g","topics":[{"name":"a","positions":[{"partition":0,"offset":-2,"end":0,"leaderEpoch":-1}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := group.ParseSnapshot([]byte(text))
			requireCode(t, err, diag.GroupSnapshotInvalid)
		})
	}
}

func TestOffsetsOfAnotherLifeAreRefusedAndTimesAreNot(t *testing.T) {
	t.Parallel()
	old := start(t, kfake.SeedTopics(1, orders), kfake.ClusterID("old"))
	old.produce(orders, 0, minutes(0, 10, 20)...)
	old.commit(stock, orders, 0, 1, fenced(9, 1))
	snap, err := old.Snapshot(t.Context(), stock)
	if err != nil {
		t.Fatal(err)
	}
	fresh := start(t, kfake.SeedTopics(1, orders), kfake.ClusterID("fresh"))
	fresh.produce(orders, 0, minutes(5, 10, 15, 20)...)
	_, err = fresh.Restore(t.Context(), group.Restore{Snapshot: snap})
	requireRefused(t, err, diag.GroupForeign)
	fresh.apply(fresh.Restore(t.Context(), group.Restore{Snapshot: snap, ByTime: true}))
	if diff := cmp.Diff([]int64{1}, fresh.positions(stock, orders)); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
	if got := fresh.metadata(stock, orders); got != "" {
		t.Errorf("a fence of another cluster came along: %q", got)
	}

	snap.Cluster, snap.Topics[0].ID = "fresh", "AAAAAAAAAAAAAAAAAAAAAA=="
	_, err = fresh.Restore(t.Context(), group.Restore{Snapshot: snap})
	requireRefused(t, err, diag.GroupForeign)
	snap.Topics[0].Name = "gone.v1"
	_, err = fresh.Restore(t.Context(), group.Restore{Snapshot: snap, ByTime: true})
	requireCode(t, err, diag.GroupNoPartition)
}

func TestARestoreNeverLowersAFence(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders))
	f.produce(orders, 0, minutes(0, 1, 2, 3, 4)...)
	ahead := frontier.Span{First: 3, End: 4}
	f.commit(stock, orders, 0, 2, fenced(4, 2, ahead))
	snap, err := f.Snapshot(t.Context(), stock)
	if err != nil {
		t.Fatal(err)
	}
	f.commit(stock, orders, 0, 5, fenced(6, 5)) // owners came and went
	f.apply(f.Restore(t.Context(), group.Restore{Snapshot: snap}))
	if got, want := f.metadata(stock, orders), fenced(6, 2, ahead); got != want {
		m, _ := frontier.Decode(got, 2)
		t.Errorf("metadata is %+v, want fence 6 and what was finished ahead", m)
	}
}

// In a retry topic the fence is the one in effect at the offset: a later one
// there would hide what earlier owners wrote behind it.
func TestARetryTopicsFenceGoesBackWithItsPosition(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders, retry))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.produce(retry, 0, minutes(0, 1, 2)...)
	f.commit(stock, orders, 0, 1, fenced(4, 1))
	f.commit(stock, retry, 0, 1, fenced(4, 1))
	snap, err := f.Snapshot(t.Context(), stock)
	if err != nil {
		t.Fatal(err)
	}
	f.commit(stock, orders, 0, 3, fenced(6, 3))
	f.commit(stock, retry, 0, 3, fenced(6, 3))
	f.apply(f.Restore(t.Context(), group.Restore{Snapshot: snap}))
	if got := f.metadata(stock, retry); got != fenced(4, 1) {
		t.Errorf("the retry topic's metadata is %q, want fence 4", got)
	}
	if got := f.metadata(stock, orders); got != fenced(6, 1) {
		t.Errorf("the source's metadata is %q, want fence 6", got)
	}
	f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{retry}, To: group.Target{Kind: group.Earliest}}))
	if got := f.metadata(stock, retry); got != "" {
		t.Errorf("the retry topic went back with the metadata %q", got)
	}
}

func TestTheLogBoundsWhatIsRestored(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.commit(stock, orders, 0, 1, "")
	snap, err := f.Snapshot(t.Context(), stock)
	if err != nil {
		t.Fatal(err)
	}
	snap.Topics[0].Positions[0].Offset = 99
	m := f.apply(f.Restore(t.Context(), group.Restore{Snapshot: snap}))
	if diff := cmp.Diff([]int64{3}, f.positions(stock, orders)); diff != "" || !strings.Contains(m.Steps[0].Why, "ends at 3") {
		t.Errorf("why %q, positions (-want +got):\n%s", m.Steps[0].Why, diff)
	}
}

func TestAGroupGoesOnUnderAnotherName(t *testing.T) {
	t.Parallel()
	const other = "team-stock"
	f := start(t, kfake.SeedTopics(2, orders), kfake.SeedTopics(1, retry))
	f.produce(orders, 0, minutes(0, 1, 2)...)
	f.produce(retry, 0, minutes(1)...)
	f.commit(stock, orders, 0, 2, fenced(5, 2))
	f.commit(stock, retry, 0, 0, "")
	rename := group.Migrate{From: stock, To: other}

	_, err := f.Migrate(t.Context(), rename)
	requireRefused(t, err, diag.GroupRetryWaiting)
	f.commit(stock, retry, 0, 1, fenced(5, 1))
	m := f.apply(f.Migrate(t.Context(), rename))
	for topic, want := range map[string][]int64{orders: {2, group.NoPosition}, retry: {1}} {
		if diff := cmp.Diff(want, f.positions(other, topic)); diff != "" {
			t.Errorf("positions in %s (-want +got):\n%s", topic, diff)
		}
	}
	if got := f.metadata(other, orders); got != fenced(5, 2) {
		t.Errorf("metadata is %q, want fence 5", got)
	}
	_, err = f.Migrate(t.Context(), rename)
	requireRefused(t, err, diag.GroupTaken)
	rename.Replace = true
	if again, err := f.Migrate(t.Context(), rename); err != nil || !again.Empty() {
		t.Errorf("migrating again changes %+v, %v", again, err)
	}
	_, err = f.Migrate(t.Context(), group.Migrate{From: "none", To: other})
	requireCode(t, err, diag.GroupUnknown)

	f.apply(f.Restore(t.Context(), group.Restore{Snapshot: m.Before}))
	if _, err := f.Snapshot(t.Context(), other); err == nil {
		t.Error("the undone group has positions")
	}
}

func TestLeavingWaitsForRetriesAndDropsTheMetadata(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders, retry))
	f.produce(orders, 0, minutes(0, 1, 2, 3)...)
	f.produce(retry, 0, minutes(1, 2)...)
	f.commit(stock, orders, 0, 2, fenced(5, 2, frontier.Span{First: 3, End: 4}))
	f.commit(stock, retry, 0, 1, fenced(5, 1))
	leave := group.Leave{Group: stock}
	waiting, members, err := f.Waiting(t.Context(), leave)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]group.Waiting{{Topic: retry, Records: 1}}, waiting); diff != "" || members != 0 {
		t.Errorf("%d members, waiting (-want +got):\n%s", members, diff)
	}
	_, err = f.Leave(t.Context(), leave)
	requireRefused(t, err, diag.GroupRetryWaiting)
	f.commit(stock, retry, 0, 2, fenced(5, 2))
	m := f.apply(f.Leave(t.Context(), leave))
	if !strings.Contains(strings.Join(m.Notes, "\n"), "1 record is finished ahead") {
		t.Errorf("the notes do not say what is repeated: %q", m.Notes)
	}
	for topic, want := range map[string][]int64{orders: {2}, retry: {2}} {
		if diff := cmp.Diff(want, f.positions(stock, topic)); diff != "" {
			t.Errorf("positions in %s (-want +got):\n%s", topic, diff)
		}
		if got := f.metadata(stock, topic); got != "" {
			t.Errorf("metadata in %s is still %q", topic, got)
		}
	}
	f.apply(f.Restore(t.Context(), group.Restore{Snapshot: m.Before}))
	if got, want := f.metadata(stock, orders), fenced(5, 2, frontier.Span{First: 3, End: 4}); got != want {
		t.Errorf("metadata after the undo is %q, want %q", got, want)
	}
}

// A broker may accept what it then does not keep, and refuse a part.
func TestWhatKafkaDoesNotKeepIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer int16
		want   diag.Code
	}{
		"not kept":                 {0, diag.GroupUnverified},
		"refused":                  {kerr.TopicAuthorizationFailed.Code, diag.GroupCommitRefused},
		"a member came in between": {kerr.UnknownMemberID.Code, diag.GroupHasMembers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, orders))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(cluster.Close)
			f := on(t, cluster)
			f.produce(orders, 0, minutes(0, 1)...)
			f.commit(stock, orders, 0, 2, "")
			cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
				commit := req.(*kmsg.OffsetCommitRequest)
				resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
				topic := kmsg.NewOffsetCommitResponseTopic()
				topic.Topic, topic.TopicID = commit.Topics[0].Topic, commit.Topics[0].TopicID
				topic.Partitions = append(topic.Partitions, kmsg.OffsetCommitResponseTopicPartition{ErrorCode: tt.answer})
				resp.Topics = append(resp.Topics, topic)
				return resp, nil, true
			})
			m, err := f.Seek(t.Context(), group.Seek{Group: stock, To: group.Target{Kind: group.Earliest}})
			if err != nil {
				t.Fatal(err)
			}
			requireCode(t, f.Apply(t.Context(), m), tt.want)
		})
	}
}
