package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
)

func TestAWritingProbeBringsItsTopicAndTheRightToWriteItAndNothingElse(t *testing.T) {
	t.Parallel()
	r := estate(t, "dev", map[string]string{
		"a": "topics: {a.b.v1: {key: id}}\nproduces: {a.b.v1: {}}\nworkload: {image: registry.example.com/a, probe: write}",
		"b": "consumes: {a.b.v1: {}}\nworkload: {image: registry.example.com/b}",
	})
	want := derive(t, r, contract.Embedded)
	topic := find(t, want, "svc-a-dev.probe")
	if topic.Role != plan.Probes || topic.Partitions != 1 || topic.Configs["retention.ms"] != "3600000" || topic.Configs["cleanup.policy"] != "delete" || len(topic.Reasons) != 1 || topic.Reasons[0].Position.Line == 0 {
		t.Errorf("the topic of the probe is %+v", topic)
	}
	if slices.ContainsFunc(want.Topics, func(t plan.Topic) bool { return t.Name == "svc-b-dev.probe" }) {
		t.Error("a service that asks for no writing probe has its topic")
	}
	var rights []string
	for _, g := range want.Grants {
		if strings.HasSuffix(g.Binding.Name, ".probe") {
			rights = append(rights, g.Binding.String())
		}
	}
	if got, want := strings.Join(rights, "; "), "User:svc-a-dev WRITE TOPIC svc-a-dev.probe"; got != want {
		t.Errorf("rights to probe topics: %s, want %s", got, want)
	}
}
