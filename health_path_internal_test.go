package slipway

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// answer is what a broker says of a topic with one partition for each number of
// in-sync replicas, of three. Below 0 it has no leader.
func answer(topic string, code *kerr.Error, inSync ...int) *kmsg.MetadataResponse {
	t := kmsg.NewMetadataResponseTopic()
	t.Topic = &topic
	if code != nil {
		t.ErrorCode = code.Code
	}
	for id, n := range inSync {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Replicas, p.ISR = int32(id), make([]int32, 3), make([]int32, max(n, 0))
		if n < 0 {
			p.Leader = -1
		}
		t.Partitions = append(t.Partitions, p)
	}
	resp := kmsg.NewPtrMetadataResponse()
	resp.Topics = append(resp.Topics, t)
	return resp
}

// What the cluster's brokers do to partitions makes no service unready that was
// ready; a new one waits until it is over.
func TestAnOutageStopsARolloutAndNotTheFleet(t *testing.T) {
	t.Parallel()
	const topic = "orders.created.v1"
	for name, tt := range map[string]struct {
		writes  bool
		looks   []*kmsg.MetadataResponse
		err     error
		check   string
		status  CheckStatus // of a service that was ready
		fresh   CheckStatus // of one that never was
		code    diag.Code
		mention string
	}{
		"all in sync":                  {writes: true, looks: []*kmsg.MetadataResponse{answer(topic, nil, 3, 3)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
		"one broker of three down":     {writes: true, looks: []*kmsg.MetadataResponse{answer(topic, nil, 2, 3)}, check: "topic " + topic, status: CheckWarn, fresh: CheckWarn, code: diag.ProducerReplicas},
		"one down, and it only reads":  {looks: []*kmsg.MetadataResponse{answer(topic, nil, 2, 3)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
		"too few in sync":              {writes: true, looks: []*kmsg.MetadataResponse{answer(topic, nil, 3, 1)}, check: "topic " + topic, status: CheckWarn, fresh: CheckFail, code: diag.HealthTooFewInSync, mention: "1 of 3 replicas in sync for partition 1"},
		"too few, and it only reads":   {looks: []*kmsg.MetadataResponse{answer(topic, nil, 3, 1)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
		"no leader":                    {looks: []*kmsg.MetadataResponse{answer(topic, nil, -1, 3, -1)}, check: "topic " + topic, status: CheckWarn, fresh: CheckFail, code: diag.HealthNoLeader, mention: "partitions 0, 2"},
		"no broker answers":            {err: errors.New("unable to dial"), check: "cluster", status: CheckWarn, fresh: CheckFail, code: diag.HealthClusterAway},
		"one broker knows no topic":    {looks: []*kmsg.MetadataResponse{answer(topic, nil, 3), answer(topic, kerr.UnknownTopicOrPartition)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
		"the topic is gone":            {looks: []*kmsg.MetadataResponse{answer(topic, kerr.UnknownTopicOrPartition), answer(topic, kerr.UnknownTopicOrPartition)}, check: "topic " + topic, status: CheckFail, fresh: CheckFail, code: diag.HealthTopicGone, mention: "consumes/orders"},
		"an answer that says it all":   {looks: []*kmsg.MetadataResponse{answer(topic, kerr.InvalidTopicException)}, check: "topic " + topic, status: CheckFail, fresh: CheckFail},
		"an election":                  {looks: []*kmsg.MetadataResponse{answer(topic, kerr.LeaderNotAvailable)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
		"a right is not its concern":   {looks: []*kmsg.MetadataResponse{answer(topic, kerr.TopicAuthorizationFailed)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
		"a leader that is there again": {looks: []*kmsg.MetadataResponse{answer(topic, nil, -1), answer(topic, nil, 3)}, check: "topic " + topic, status: CheckOK, fresh: CheckOK},
	} {
		for _, proved := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				app := &App{log: slog.New(slog.DiscardHandler), contract: &contract.Service{Consumes: map[string]*contract.Consume{"orders": {}}}}
				app.health.up, app.health.proved = true, proved
				app.links = app.newLinks()
				uses := map[string]use{topic: {entry: "consumes/orders", reads: !tt.writes, writes: tt.writes}}
				now := time.Now()
				for _, look := range tt.looks {
					app.links[0].path.looked(now, now, look, nil, uses, false)
				}
				if tt.err != nil {
					app.links[0].path.looked(now, now, nil, tt.err, uses, false)
				}
				found := app.judge(now)
				i := slices.IndexFunc(found, func(f finding) bool { return f.Name == tt.check })
				if i < 0 {
					t.Fatalf("no check %s in %+v", tt.check, found)
				}
				want := tt.fresh
				if proved {
					want = tt.status
				}
				if got := found[i]; got.Status != want || got.Code != tt.code || !strings.Contains(got.Reason, tt.mention) {
					t.Errorf("ready before: %v: %+v, want %s %s %q", proved, got.Check, want, tt.code, tt.mention)
				}
				if ready := app.Ready() == nil; ready != (want != CheckFail) {
					t.Errorf("ready before: %v: Ready() = %v", proved, app.Ready())
				}
			})
		}
	}
}

// What an outage has brought about may stay for a minute after it, and no longer.
func TestWhatAnOutageLeavesBehindIsExcusedForAMinute(t *testing.T) {
	t.Parallel()
	app := &App{log: slog.New(slog.DiscardHandler), contract: new(contract.Service)}
	app.health.up, app.health.proved = true, true
	app.links = app.newLinks()
	began := time.Now()
	look := func(at time.Time, err error) {
		app.links[0].path.looked(at, at, answer("orders", nil, 3), err, map[string]use{"orders": {}}, false)
	}
	app.health.note(concern{"dead letters of partition orders/0", "g", contract.DefaultAlias}, "no answer", reaching)
	ready := func(after time.Duration) bool {
		app.judge(began.Add(after))
		for _, f := range app.judge(began.Add(after)) {
			if f.Status == CheckFail {
				return false
			}
		}
		return true
	}
	if !ready(time.Second) {
		t.Error("not ready before anybody has looked whether the cluster is away")
	}
	look(began.Add(2*time.Second), errors.New("unable to dial"))
	if !ready(10 * time.Second) {
		t.Error("not ready in an outage")
	}
	look(began.Add(12*time.Second), nil)
	if !ready(30 * time.Second) {
		t.Error("not ready right after an outage, when what waited has not been tried again yet")
	}
	if ready(90 * time.Second) {
		t.Error("ready though dead letters cannot be written and the cluster is well")
	}
}

func TestALabelHoldsNoPartitionAndNoOffset(t *testing.T) {
	t.Parallel()
	if got := kindOf("group svc-a-dev: handler of orders/0@17"); got != "handler" {
		t.Errorf("kindOf() = %q, want no offset in a label", got)
	}
	for name, want := range map[string]string{
		"dead letters of partition orders/3": "dead letters", "partition orders/0": "partition", "topic orders": "topic orders",
		"fetch of group svc-a-dev": "fetch of group svc-a-dev", "right to READ TOPIC orders": "right to READ TOPIC orders",
	} {
		if got := kindOf(name); got != want {
			t.Errorf("kindOf(%q) = %q, want %q", name, got, want)
		}
	}
}
