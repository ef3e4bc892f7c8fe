package group_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/lag"
)

// look looks once at one group.
func (f *fixture) look(m *group.Monitor, id string) group.Report {
	f.Helper()
	reports, err := m.Look(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	return reports[0]
}

func TestLagIsToldInRecordsAndSeconds(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(3, orders), kfake.SeedTopics(1, retry))
	hour := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	f.produce(orders, 0, hour, hour.Add(10*time.Minute), hour.Add(40*time.Minute))
	f.produce(orders, 1, hour)
	f.produce(retry, 0, hour, hour)
	f.commit(stock, orders, 0, 1, "")
	f.commit(stock, orders, 1, 1, "")
	f.commit(stock, retry, 0, 0, "")
	r := f.look(f.Monitor(nil), stock)
	if r.Lag != 2 || r.Retry != 2 || r.State != "Empty" || r.Problem != nil {
		t.Errorf("lag %d, retry %d, state %s, problem %v, want 2, 2, Empty and none", r.Lag, r.Retry, r.State, r.Problem)
	}
	if r.RetrySeconds == nil || *r.RetrySeconds < 60*60 || *r.RetrySeconds > 61*60 {
		t.Errorf("the oldest waits for %v seconds, want an hour", r.RetrySeconds)
	}
	p := r.Partitions[0]
	if p.Lag != 2 || p.Begins != group.FromCommit || p.Status != lag.Stop {
		t.Errorf("partition is %+v, want a lag of 2 that nobody reads", p)
	}
	if p.Seconds == nil || *p.Seconds < 50*60 || *p.Seconds > 51*60 || p.Behind == nil || *p.Behind != 30*60 {
		t.Errorf("seconds %v, behind %v, want 50 minutes and 30", *p.Seconds, *p.Behind)
	}
	if p := r.Partitions[1]; p.Lag != 0 || *p.Seconds != 0 || p.Status != lag.OK {
		t.Errorf("partition that is caught up is %+v", p)
	}
	if p := r.Partitions[2]; p.Begins != group.FromPolicy {
		t.Errorf("partition without a commit begins from %s", p.Begins)
	}
	if p := r.Partitions[3]; !p.Retry || p.Status != lag.OK {
		t.Errorf("waiting in the retry topic is judged: %+v", p)
	}
}

func TestAMonitorTellsStuckFromSlow(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders))
	f.produce(orders, 0, minutes(0, 1, 2, 3, 4, 5)...)
	f.commit(stock, orders, 0, 5, "")
	m := f.Monitor(nil)
	for _, step := range []struct {
		offset int64
		want   lag.Status
	}{{5, lag.Stop}, {2, lag.Rewind}, {6, lag.OK}, {6, lag.OK}} {
		f.commit(stock, orders, 0, step.offset, "")
		if r := f.look(m, stock); r.Status != step.want {
			t.Errorf("at %d the status is %s, want %s", step.offset, r.Status, step.want)
		}
	}
	f.commit(stock, orders, 0, 9, "")
	if r := f.look(m, stock); r.Status != lag.Err || r.Partitions[0].Begins != group.FromGap {
		t.Errorf("beyond the end the status is %s, begins from %s, want %s and %s", r.Status, r.Partitions[0].Begins, lag.Err, group.FromGap)
	}
}

func TestWhoReadsWhatIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		protocol string
		opts     []kgo.Opt
	}{
		"classic": {"classic", []kgo.Opt{kgo.ConsumerGroup(stock)}},
		"KIP-848": {"consumer", []kgo.Opt{kgo.ConsumerGroup(stock), kgo.ServerSideBalancer()}},
		"share":   {"share", []kgo.Opt{kgo.ShareGroup(stock)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, kfake.SeedTopics(2, orders))
			f.shareFromStart(stock)
			f.produce(orders, 0, minutes(0)...)
			f.produce(orders, 1, minutes(0)...)
			f.member(append(tt.opts, kgo.ConsumeTopics(orders), kgo.ClientID("stock-7"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
			r := f.look(f.Monitor(nil), stock)
			if r.Protocol != tt.protocol || r.State != "Stable" || len(r.Members) != 1 {
				t.Fatalf("group is %s %s with %d members: %+v", r.Protocol, r.State, len(r.Members), r.Problem)
			}
			for _, p := range r.Partitions {
				if len(p.Members) != 1 || p.Members[0].Client != "stock-7" || p.Members[0].Partitions != 2 || p.Members[0].Host == "" {
					t.Errorf("partition %d is held by %+v", p.Partition, p.Members)
				}
			}
			if got, want := r.Topics[0].String(), "2 partitions over 1 member: 2"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// Requirement C07.23: three partitions over two members leave nobody idle.
func TestMembersAreIdleOnlyIfTheyAreMoreThanPartitions(t *testing.T) {
	t.Parallel()
	for want, share := range map[string]group.Share{
		"3 partitions over 2 members: 2+1": {Partitions: 3, Members: 2, Held: []int{2, 1}},
		"2 partitions over 3 members: 1+1; 1 has none of it, because a partition has one reader": {Partitions: 2, Members: 3, Held: []int{1, 1}, Idle: 1},
		"1 partition over 3 members: 1; 2 have none of it, because a partition has one reader":   {Partitions: 1, Members: 3, Held: []int{1}, Idle: 2},
		"3 partitions, nobody reads them":                              {Partitions: 3},
		"3 partitions over 1 member: 2; 1 partition is held by nobody": {Partitions: 3, Members: 1, Held: []int{2}, Free: 1},
		"3 partitions over 2 members: 3; 1 has none of it although there are partitions enough: a rebalance is under way, or an assignor is uneven": {Partitions: 3, Members: 2, Held: []int{3}, Idle: 1},
	} {
		if got := share.String(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestAnUnknownGroupIsAProblemOfItsReport(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders))
	f.commit(stock, orders, 0, 0, "")
	reports, err := f.Lag(t.Context(), "svc-stok-prod", stock)
	if err != nil {
		t.Fatal(err)
	}
	if d := reports[0].Problem; d == nil || d.Code != diag.GroupUnknown || !strings.Contains(strings.Join(d.Evidence, ""), stock) {
		t.Errorf("problem is %+v, want %s and the groups there are", d, diag.GroupUnknown)
	}
	if reports[1].Problem != nil {
		t.Errorf("the other group has a problem too: %v", reports[1].Problem)
	}
	names, err := f.Names(t.Context())
	if diff := cmp.Diff([]string{stock}, names); diff != "" || err != nil {
		t.Errorf("%v, names (-want +got):\n%s", err, diff)
	}
}

func TestWithoutTheRightToReadThereIsLagInRecords(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, orders))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	f := on(t, cluster)
	f.produce(orders, 0, minutes(0, 1)...)
	f.commit(stock, orders, 0, 0, "")
	cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		fetch := req.(*kmsg.FetchRequest)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, t := range fetch.Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				part := kmsg.NewFetchResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
				topic.Partitions = append(topic.Partitions, part)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
	r := f.look(f.Monitor(nil), stock)
	if r.Lag != 2 || r.Partitions[0].Seconds != nil || r.Problem == nil || r.Problem.Code != diag.GroupUntimed {
		t.Errorf("lag %d, seconds %v, problem %v, want 2, none and %s", r.Lag, r.Partitions[0].Seconds, r.Problem, diag.GroupUntimed)
	}
}

func TestAShareGroupIsMovedAndPutBack(t *testing.T) {
	t.Parallel()
	f := start(t, kfake.SeedTopics(1, orders))
	f.shareFromStart(stock)
	f.produce(orders, 0, minutes(0, 1, 2, 3)...)
	_, leave := f.member(kgo.ShareGroup(stock), kgo.ConsumeTopics(orders))
	m, err := f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, To: group.Target{Kind: group.AtOffset, Offset: 2}})
	if err != nil {
		t.Fatal(err)
	}
	requireRefused(t, f.Apply(t.Context(), m), diag.GroupHasMembers)
	leave()
	m = f.apply(f.Seek(t.Context(), group.Seek{Group: stock, Topics: []string{orders}, To: group.Target{Kind: group.AtOffset, Offset: 2}}))
	if diff := cmp.Diff([]int64{2}, f.positions(stock, orders)); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
	f.apply(f.Restore(t.Context(), group.Restore{Snapshot: m.Before}))
	if diff := cmp.Diff([]int64{m.Steps[0].From}, f.positions(stock, orders)); diff != "" {
		t.Errorf("positions after the undo (-want +got):\n%s", diff)
	}
	_, err = f.Migrate(t.Context(), group.Migrate{From: stock, To: "other"})
	requireRefused(t, err, diag.GroupShare)
	_, err = f.Leave(t.Context(), group.Leave{Group: stock})
	requireRefused(t, err, diag.GroupShare)
}
