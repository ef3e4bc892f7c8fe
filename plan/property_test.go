package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/plan"
)

const anySchema = `{"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}]}`

// A sketch is an estate whose sizes can be drawn again.
type sketch struct {
	name     string
	services []service
}

type service struct {
	auth     string
	topics   []topic
	produces []string
	consumes []string
}

type topic struct {
	name               string
	compact, schema    bool
	partitions         int
	retention, maximum string
}

var life atomic.Int64

// anySketch draws services that own topics and use each other's. No two
// sketches share a name, so that all can live on one cluster.
func anySketch(t *rapid.T) *sketch {
	s := &sketch{name: fmt.Sprintf("e%d", life.Add(1))}
	pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	var names []string
	for i := range rapid.IntRange(1, 4).Draw(t, "services") {
		svc := service{auth: pick("auth", "mtls", "scram-sha-512", "scram-sha-256")}
		for j := range rapid.IntRange(0, 3).Draw(t, "topics") {
			name := fmt.Sprintf("%s.s%d-t%d.v1", s.name, i, j)
			names = append(names, name)
			svc.topics = append(svc.topics, topic{
				name: name, compact: rapid.Bool().Draw(t, "compact"), schema: rapid.Bool().Draw(t, "schema"),
			})
			svc.produces = append(svc.produces, fmt.Sprintf("%s: {via: %s}", name, pick("via", "direct", "outbox", "transaction")))
		}
		s.services = append(s.services, svc)
	}
	for i := range s.services {
		for _, name := range names {
			if rapid.Bool().Draw(t, "consumes") {
				s.services[i].consumes = append(s.services[i].consumes, fmt.Sprintf("%s: {%s}", name,
					pick("how", "", "as: table", "as: share, order: none, group: shared", "retry: {then: stop}", "retry: {then: park}", "retry: {delays: [1s]}", "retry: {backoff: {}, then: stop}", "group: g",
						"group: k, protocol: consumer, session: 1m", "group: l, protocol: consumer, session: 1m, heartbeat: 9s, retry: {then: park}")))
			}
		}
	}
	s.size(t)
	return s
}

// size draws what may change in a topic's life. Partitions only grow.
func (s *sketch) size(t *rapid.T) {
	for _, svc := range s.services {
		for i := range svc.topics {
			topic := &svc.topics[i]
			topic.partitions += rapid.IntRange(1, 4).Draw(t, "partitions")
			topic.retention = rapid.SampledFrom([]string{"1h", "7d", "forever"}).Draw(t, "retention")
			topic.maximum = rapid.SampledFrom([]string{"64KiB", "1MiB", "8MiB"}).Draw(t, "maximum")
		}
	}
}

func (s *sketch) resolve(t failer) *contract.Resolved {
	files := map[string]string{}
	for i, svc := range s.services {
		name := fmt.Sprintf("%s-s%d", s.name, i)
		files[name+"/r.avsc"] = anySchema
		files[name] = svc.String()
	}
	return estate(t, "dev", files)
}

func (s service) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "identity: {auth: %s}\n", s.auth)
	var topics []string
	for _, t := range s.topics {
		line := fmt.Sprintf("%s: {key: id, partitions: %d, retention: %s, maxMessage: %s, compact: %t", t.name, t.partitions, t.retention, t.maximum, t.compact)
		if t.schema {
			line += ", schema: {file: r.avsc}"
		}
		topics = append(topics, line+"}")
	}
	for _, block := range []struct {
		key     string
		entries []string
	}{{"topics", topics}, {"produces", s.produces}, {"consumes", s.consumes}} {
		if len(block.entries) > 0 {
			fmt.Fprintf(&b, "%s:\n  %s\n", block.key, strings.Join(block.entries, "\n  "))
		}
	}
	return b.String()
}

func TestApplyLeavesAnEmptyPlanWhateverTheEstate(t *testing.T) {
	t.Parallel()
	r := start(t)
	apply := func(rt *rapid.T, want *plan.Desired) {
		p := r.plan(t, want)
		target := r.target()
		for _, c := range p.Changes {
			if c.Allow != "" {
				target.Allow = append(target.Allow, c.Allow)
			}
		}
		if err := plan.Apply(t.Context(), target, p, nil); err != nil {
			rt.Fatalf("%v\n%s", err, text(p))
		}
		if left := r.plan(t, want); !left.Empty() {
			rt.Fatalf("after apply there is still\n%s", text(left))
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := anySketch(rt)
		apply(rt, derive(rt, s.resolve(rt), contract.Embedded))
		s.size(rt)
		apply(rt, derive(rt, s.resolve(rt), contract.Embedded))
	})
}

func TestTheSameEstateGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anySketch(rt)
		render := func() string {
			want := derive(rt, s.resolve(rt), contract.Embedded)
			b, err := json.Marshal(diff(rt, want, &plan.Actual{Brokers: 3}))
			if err != nil {
				rt.Fatal(err)
			}
			return string(b)
		}
		first := render()
		for range 3 {
			if again := render(); again != first {
				rt.Fatalf("plans differ:\n%s\n%s", first, again)
			}
		}
	})
}
