package plan_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

func find(t *testing.T, want *plan.Desired, name string) plan.Topic {
	t.Helper()
	i := slices.IndexFunc(want.Topics, func(t plan.Topic) bool { return t.Name == name })
	if i < 0 {
		t.Fatalf("%s is not among the topics", name)
	}
	return want.Topics[i]
}

func TestARetryTopicIsALogThatNobodyElseDeletesFrom(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"a": "topics: {a.b.v1: {key: id, partitions: 6, retention: 1d, maxMessage: 2MiB}}\nproduces: {a.b.v1: {}}\nconsumes: {a.b.v1: {retry: {then: park}}}",
	})
	want := derive(t, r, contract.Embedded)
	got := []plan.Topic{find(t, want, "svc-a-dev.a.b.v1.dlq"), find(t, want, "svc-a-dev.a.b.v1.retry")}
	reason := func(text string) []plan.Reason {
		return []plan.Reason{{Service: "a", Text: text, Position: diag.Position{File: "a/slipway.yaml", Line: 6, Column: 12}}}
	}
	expected := []plan.Topic{
		{
			Name: "svc-a-dev.a.b.v1.dlq", Service: "a", Role: plan.DeadLetters, Source: "a.b.v1", Partitions: 6, Replicas: 3,
			Configs: map[string]string{"cleanup.policy": "delete", "min.insync.replicas": "2", "max.message.bytes": "2162688", "retention.ms": "2592000000"},
			Reasons: reason("tells what is parked of a.b.v1"),
		},
		{
			Name: "svc-a-dev.a.b.v1.retry", Service: "a", Role: plan.Retries, Source: "a.b.v1", Partitions: 6, Replicas: 3,
			Configs: map[string]string{
				"cleanup.policy": "delete", "min.insync.replicas": "2", "max.message.bytes": "2162688",
				"retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "LogAppendTime",
			},
			Reasons: reason("retries and parks records of a.b.v1"),
		},
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("derived topics (-want +got):\n%s", diff)
	}
}

const foreign = `apiVersion: slipway.dev/v1
kind: External
topics: {crm.changed.v1: {}, crm.moved.v1: {partitions: 4}}
`

// TestDerivedTopicsFitSourcesThatContractsKnowLittleOf holds retry topics to
// the partitions of topics that others own, and all derived topics to what
// their source takes, whoever decided it.
func TestDerivedTopicsFitSourcesThatContractsKnowLittleOf(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"a":             "consumes: {crm.changed.v1: {retry: {delays: [1m]}}, crm.moved.v1: {retry: {delays: [1m]}}}",
		"external.yaml": foreign,
	})
	want := derive(t, r, contract.Embedded)
	source := func(partitions int, largest string) kafka.Topic {
		return kafka.Topic{Partitions: partitions, Replicas: 3, Configs: map[string]string{kafka.MaxMessageBytes: largest}}
	}
	sizes := func(have *plan.Actual) map[string]string {
		got := map[string]string{}
		for _, c := range diff(t, want, have).Changes {
			for _, f := range c.Fields {
				if c.Kind == plan.KindTopic && (f.Name == "partitions" || f.Name == kafka.MaxMessageBytes) {
					got[strings.TrimPrefix(c.Name, "svc-a-dev.crm.")+" "+f.Name] += f.Before + "→" + f.After
				}
			}
		}
		return got
	}
	have := settled(want)
	have.Topics["crm.changed.v1"], have.Topics["crm.moved.v1"] = source(12, "8388608"), source(4, "1048588")
	if diff := cmp.Diff(map[string]string{
		"changed.v1.retry partitions":        "3→12",
		"changed.v1.retry max.message.bytes": "1114112→8454144",
		"changed.v1.dlq max.message.bytes":   "1114112→8454144",
	}, sizes(have)); diff != "" {
		t.Errorf("changes of what exists (-want +got):\n%s", diff)
	}
	have.Topics = map[string]kafka.Topic{"crm.changed.v1": source(12, "8388608"), "crm.moved.v1": source(5, "1100000")}
	if diff := cmp.Diff(map[string]string{
		"changed.v1.retry partitions": "→12", "changed.v1.retry max.message.bytes": "→8454144",
		"changed.v1.dlq partitions": "→3", "changed.v1.dlq max.message.bytes": "→8454144",
		"moved.v1.retry partitions": "→5", "moved.v1.retry max.message.bytes": "→1165536",
		"moved.v1.dlq partitions": "→4", "moved.v1.dlq max.message.bytes": "→1165536",
	}, sizes(have)); diff != "" {
		t.Errorf("what is created (-want +got):\n%s", diff)
	}
}

// TestThePartitionsOfAForeignSourceAreAskedOfTheCluster grows a topic that no
// contract owns, behind the back of the estate: the next plan follows.
func TestThePartitionsOfAForeignSourceAreAskedOfTheCluster(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, estate(t, "dev", map[string]string{"a": "consumes: {crm.changed.v1: {retry: {delays: [1m]}}}", "external.yaml": foreign}), contract.Embedded)
	source := []kafka.Topic{{Name: "crm.changed.v1", Partitions: 5, Replicas: 3}}
	if err := errors.Join(r.admin.CreateTopics(t.Context(), source)...); err != nil {
		t.Fatal(err)
	}
	for _, partitions := range []int{5, 8} {
		source[0].Partitions = partitions
		if err := errors.Join(r.admin.GrowTopics(t.Context(), source)...); err != nil {
			t.Fatal(err)
		}
		if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
			t.Fatal(err)
		}
		if got := r.partitions(t, want)["svc-a-dev.crm.changed.v1.retry"]; got != partitions {
			t.Errorf("the retry topic has %d partitions, and its source %d", got, partitions)
		}
	}
}

// growing applies a contract and returns the plan of the same one with twice
// the partitions.
func growing(t *testing.T, r *rig) (*plan.Desired, *plan.Plan) {
	t.Helper()
	at := func(partitions string) *plan.Desired {
		return derive(t, estate(t, "dev", map[string]string{
			"a": "topics: {a.b.v1: {key: id, partitions: " + partitions + "}}\nproduces: {a.b.v1: {}}\nconsumes: {a.b.v1: {retry: {delays: [1m]}}}",
			"z": "consumes: {a.b.v1: {retry: {then: park}}}",
		}), contract.Embedded)
	}
	before := at("3")
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, before), nil); err != nil {
		t.Fatal(err)
	}
	after := at("6")
	return after, r.plan(t, after)
}

// partitions are those that topics have, asked of the cluster.
func (r *rig) partitions(t *testing.T, want *plan.Desired) map[string]int {
	t.Helper()
	names := map[string]int{}
	for _, topic := range want.Topics {
		names[topic.Name] = 0
	}
	topics, err := r.admin.Topics(t.Context(), slices.Collect(maps.Keys(names))...)
	if err != nil {
		t.Fatal(err)
	}
	for name, topic := range topics {
		names[name] = topic.Partitions
	}
	return names
}

func TestARetryTopicGrowsBeforeItsSource(t *testing.T) {
	t.Parallel()
	r := start(t)
	want, p := growing(t, r)
	var planned, grown []string
	for _, c := range p.Changes {
		planned = append(planned, c.String())
	}
	if diff := cmp.Diff([]string{
		"~ topic svc-a-dev.a.b.v1.retry partitions 3 → 6 [safe]",
		"~ topic svc-z-dev.a.b.v1.retry partitions 3 → 6 [safe]",
		"~ topic a.b.v1 partitions 3 → 6 [disruptive]",
	}, planned); diff != "" {
		t.Fatalf("changes (-want +got):\n%s", diff)
	}
	note := p.Changes[2].Note
	for _, part := range []string{"50% of the keys move to another partition", "svc-a-dev.a.b.v1.retry and svc-z-dev.a.b.v1.retry", "let it drain first"} {
		if !strings.Contains(note, part) {
			t.Errorf("note %q does not say %q", note, part)
		}
	}
	r.Kafka().ControlKey(int16(kmsg.CreatePartitions), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.Kafka().KeepControl()
		for _, topic := range req.(*kmsg.CreatePartitionsRequest).Topics {
			grown = append(grown, topic.Topic)
		}
		grown = append(grown, "")
		return nil, nil, false
	})
	target := r.target()
	target.Allow = []string{"repartition:a.b.v1"}
	if err := plan.Apply(t.Context(), target, p, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"svc-a-dev.a.b.v1.retry", "svc-z-dev.a.b.v1.retry", "", "a.b.v1", ""}, grown); diff != "" {
		t.Errorf("requests to grow, each ended by an empty name (-want +got):\n%s", diff)
	}
	if left := r.plan(t, want); !left.Empty() {
		t.Errorf("after apply there is still\n%s", text(left))
	}
}

func TestASourceDoesNotGrowWithoutItsRetryTopic(t *testing.T) {
	t.Parallel()
	r := start(t)
	want, p := growing(t, r)
	r.Kafka().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreatePartitions}, Topic: "svc-z-dev.a.b.v1.retry", Err: kerr.PolicyViolation, Count: 1})
	target := r.target()
	target.Allow = []string{"repartition:a.b.v1"}
	failed := map[string]error{}
	err := plan.Apply(t.Context(), target, p, func(c plan.Change, err error) {
		if err != nil {
			failed[c.Name] = err
		}
	})
	if !errors.Is(err, diag.PlanItemFailed) || len(failed) != 2 || failed["a.b.v1"] == nil || !strings.Contains(failed["a.b.v1"].Error(), "wait for its retry topic svc-z-dev.a.b.v1.retry") {
		t.Errorf("Apply() = %v, failed %v, want the retry topic and the source that waits for it", err, failed)
	}
	if diff := cmp.Diff(map[string]int{
		"a.b.v1": 3, "svc-a-dev.a.b.v1.dlq": 3, "svc-a-dev.a.b.v1.retry": 6, "svc-z-dev.a.b.v1.dlq": 3, "svc-z-dev.a.b.v1.retry": 3,
	}, r.partitions(t, want)); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	if err := plan.Apply(t.Context(), target, r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	if left := r.plan(t, want); !left.Empty() {
		t.Errorf("after the second apply there is still\n%s", text(left))
	}
}

// TestARetryTopicThatForgetsIsSetBack takes what an operator did by hand, on a
// cluster: apply needs no leave to end it, and tells that it was so.
func TestARetryTopicThatForgetsIsSetBack(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := derive(t, shop(t, "dev"), contract.Embedded)
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, want), nil); err != nil {
		t.Fatal(err)
	}
	const retry = "svc-orders-dev.payments.confirmed.v1.retry"
	byHand := kafka.Topic{Name: retry, Configs: map[string]string{kafka.CleanupPolicy: "compact,delete", kafka.RetentionMillis: "60000", "retention.bytes": "1000"}}
	if err := errors.Join(r.admin.SetConfigs(t.Context(), []kafka.Topic{byHand})...); err != nil {
		t.Fatal(err)
	}
	p := r.plan(t, want)
	for _, c := range p.Changes {
		if c.Name != retry || c.Class != plan.Safe || !strings.Contains(c.Note, "may have been deleted already") {
			t.Errorf("%s, note %q", c, c.Note)
		}
	}
	if err := plan.Apply(t.Context(), r.target(), p, nil); err != nil || len(p.Changes) != 3 {
		t.Fatalf("%v after\n%s", err, text(p))
	}
	if left := r.plan(t, want); !left.Empty() {
		t.Errorf("after apply there is still\n%s", text(left))
	}
}
