package plan_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
)

func TestAShorterRetentionTellsWhatLiesInTheTopic(t *testing.T) {
	t.Parallel()
	r := start(t)
	keep := func(retention string) *plan.Desired {
		return derive(t, estate(t, "dev", map[string]string{"a": "topics: {a.b.v1: {partitions: 2, retention: " + retention + "}}\nproduces: {a.b.v1: {}}"}), contract.Embedded)
	}
	if err := plan.Apply(t.Context(), r.target(), r.plan(t, keep("7d")), nil); err != nil {
		t.Fatal(err)
	}
	meet := func(now time.Time) []string {
		p := r.plan(t, keep("1d"))
		hash := p.Hash
		p.Meet(t.Context(), r.admin, now)
		if len(p.Changes) != 1 || p.Hash != hash {
			t.Fatalf("the plan is\n%s", text(p))
		}
		return p.Changes[0].Impact
	}
	now := time.Now()
	if got := meet(now); len(got) != 1 || got[0] != "the topic is empty" {
		t.Errorf("an empty topic: %q", got)
	}
	client, err := kgo.NewClient(append(r.Options(r.Cluster.Admin()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, age := range []time.Duration{72 * time.Hour, 25 * time.Hour, time.Hour} {
		record := &kgo.Record{Topic: "a.b.v1", Timestamp: now.Add(-age), Value: make([]byte, 10_000)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	got := meet(now)
	oldest := now.Add(-72 * time.Hour).UTC().Format(time.DateTime)
	if len(got) != 2 || !regexp.MustCompile(`^29(\.\d)? KiB lie there now, in up to 3 records, the oldest of `+oldest+` UTC$`).MatchString(got[0]) ||
		got[1] != "up to 2 records of them are older than the new retention" {
		t.Errorf("impact is %q", got)
	}
}
