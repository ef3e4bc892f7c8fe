package plan_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

var (
	pureCases    = flag.Int("cases", 25_000, "random states that are compared without a cluster")
	clusterCases = flag.Int("cluster.cases", 300, "random states that are applied to a cluster")
)

// A dice draws desired and actual states. Names come from a small stock, so
// that the two meet.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 56))} }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func (d dice) desired(stock string) *plan.Desired {
	want := &plan.Desired{Env: "dev", Cluster: "embedded"}
	for i := range d.IntN(4) {
		svc := fmt.Sprintf("s%d", i)
		reasons := []plan.Reason{{Service: svc, Text: "wants it"}}
		source := fmt.Sprintf("%s.t%d.v1", stock, i)
		settings := d.configs()
		largest, err := strconv.Atoi(settings[kafka.MaxMessageBytes])
		if err != nil {
			largest = 1 << 20
		}
		partitions := d.IntN(6) // 0 is the broker's default
		want.Topics = append(want.Topics, plan.Topic{
			Name: source, Service: svc, Role: plan.Owned, Partitions: partitions, Replicas: pick(d, 0, 3), Configs: settings, Keyed: d.chance(50), Reasons: reasons,
		})
		for _, role := range []plan.Role{plan.Retries, plan.DeadLetters} {
			if d.chance(50) {
				configs := d.configs()
				configs[kafka.CleanupPolicy], configs[kafka.MaxMessageBytes] = "delete", strconv.Itoa(largest+plan.Headroom)
				name := fmt.Sprintf("svc-%s-dev.%s.%s", svc, source, map[plan.Role]string{plan.Retries: "retry", plan.DeadLetters: "dlq"}[role])
				want.Topics = append(want.Topics, plan.Topic{Name: name, Service: svc, Role: role, Source: source, Partitions: partitions, Configs: configs, Reasons: reasons})
			}
		}
		user := fmt.Sprintf("svc-%s%s-dev", stock, svc)
		if d.chance(70) {
			want.Users = append(want.Users, plan.User{Name: user, Service: svc, Mechanism: pick(d, contract.SCRAMSHA256, contract.SCRAMSHA512), Reasons: reasons})
		}
		for range d.IntN(4) {
			want.Grants = append(want.Grants, acl.Grant{Binding: d.binding(user, source), Reasons: reasons})
		}
		if d.chance(40) {
			want.Quotas = append(want.Quotas, plan.Quota{User: user, Service: svc, Limits: map[string]float64{pick(d, "producer_byte_rate", "consumer_byte_rate"): float64(pick(d, 1024, 4096, 1<<20))}, Reasons: reasons})
		}
		if d.chance(30) {
			want.Groups = append(want.Groups, plan.Group{Name: user, Service: svc, Configs: map[string]string{kafka.GroupSessionMillis: pick(d, "50000", "60000")}, Reasons: reasons})
		}
		if d.chance(30) {
			want.Subjects = append(want.Subjects, plan.Subject{Name: source + "-value", Service: svc, Format: contract.Avro, Schema: anySchema, Level: d.level(), Reasons: reasons})
		}
	}
	slices.SortFunc(want.Topics, func(a, b plan.Topic) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(want.Grants, func(a, b acl.Grant) int { return a.Binding.Compare(b.Binding) })
	want.Grants = slices.CompactFunc(want.Grants, func(a, b acl.Grant) bool { return a.Binding == b.Binding })
	return want
}

func (d dice) configs() map[string]string {
	all := map[string]string{}
	for key, values := range map[string][]string{
		kafka.RetentionMillis: {"-1", "3600000", "604800000"}, kafka.CleanupPolicy: {"delete", "compact", "compact,delete"},
		kafka.MaxMessageBytes: {"65536", "1048588", "8388608"}, kafka.MinInsyncReplicas: {"1", "2"},
	} {
		if d.chance(60) {
			all[key] = pick(d, values...)
		}
	}
	return all
}

func (d dice) binding(user, topic string) acl.Binding {
	return acl.Binding{
		Principal: "User:" + user, ResourceType: acl.Topic, Name: topic, Pattern: pick(d, acl.Literal, acl.Prefixed),
		Operation: pick(d, acl.Read, acl.Write, acl.Delete), Permission: acl.Allow, Host: acl.AnyHost,
	}
}

func (d dice) level() contract.Compatibility {
	return pick(d, contract.Backward, contract.BackwardTransitive, contract.Full, contract.NoCompatibility)
}

// actual draws a cluster that has some of another estate of the same names.
func (d dice) actual(stock string) *plan.Actual {
	have := &plan.Actual{
		Brokers: 3, Topics: map[string]kafka.Topic{}, Users: map[string][]kafka.Credential{}, Bindings: map[acl.Binding]bool{},
		Quotas: map[string]map[string]float64{}, Groups: map[string]map[string]string{}, Subjects: map[string]plan.SubjectState{},
	}
	for _, c := range diffOf(d.desired(stock), have).Changes {
		if c.Class != plan.Impossible && d.chance(75) {
			simulate(have, c)
		}
	}
	return have
}

func diffOf(want *plan.Desired, have *plan.Actual) *plan.Plan {
	p, err := plan.Diff(want, have)
	if err != nil {
		panic(err)
	}
	return p
}

// simulate does to a state what a change says, going by what a reader of the
// plan can see of it and nothing else.
func simulate(have *plan.Actual, c plan.Change) {
	switch c.Kind {
	case plan.KindTopic:
		simulateTopic(have, c)
	case plan.KindUser:
		mechanism := contract.Auth(c.Fields[0].After)
		have.Users[c.Name] = append(have.Users[c.Name], kafka.Credential{User: c.Name, Mechanism: mechanism})
	case plan.KindACL:
		have.Bindings[readBinding(c)] = true
	case plan.KindQuota:
		limits := maps.Clone(have.Quotas[c.Name])
		if limits == nil {
			limits = map[string]float64{}
		}
		for _, f := range c.Fields {
			limits[f.Name], _ = strconv.ParseFloat(f.After, 64)
		}
		have.Quotas[c.Name] = limits
	case plan.KindGroup:
		configs := maps.Clone(have.Groups[c.Name])
		if configs == nil {
			configs = map[string]string{}
		}
		configs[c.Fields[0].Name] = c.Fields[0].After
		have.Groups[c.Name] = configs
	case plan.KindSubject:
		s := have.Subjects[c.Name]
		s.Level = contract.Compatibility(c.Fields[0].After)
		have.Subjects[c.Name] = s
	case plan.KindSchema:
		s := have.Subjects[c.Name]
		s.Registered = true
		have.Subjects[c.Name] = s
	}
}

func simulateTopic(have *plan.Actual, c plan.Change) {
	t, exists := have.Topics[c.Name]
	if !exists {
		t = kafka.Topic{Name: c.Name, Partitions: 1, Replicas: 3, Configs: map[string]string{
			kafka.RetentionMillis: "604800000", kafka.CleanupPolicy: "delete", kafka.MaxMessageBytes: "1048588", kafka.MinInsyncReplicas: "1",
		}}
	}
	t.Configs = maps.Clone(t.Configs)
	for _, f := range c.Fields {
		switch f.Name {
		case "partitions":
			t.Partitions, _ = strconv.Atoi(f.After)
		case "replicas":
			t.Replicas, _ = strconv.Atoi(f.After)
		default:
			t.Configs[f.Name] = f.After
		}
	}
	have.Topics[c.Name] = t
}

func readBinding(c plan.Change) acl.Binding {
	of := map[string]string{}
	for _, f := range c.Fields {
		of[f.Name] = f.After
	}
	return acl.Binding{
		Principal: of["principal"], ResourceType: acl.ResourceType(of["resourceType"]), Name: of["name"], Pattern: acl.Pattern(of["pattern"]),
		Operation: acl.Operation(of["operation"]), Permission: acl.Permission(of["permission"]), Host: of["host"],
	}
}

// TestApplyingAPlanLeavesOnlyTheImpossible draws states, plans, does what the
// plan says, and plans again; and sees that every plan is the same to the byte
// when it is made twice.
func TestApplyingAPlanLeavesOnlyTheImpossible(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		*pureCases = min(*pureCases, 1_000)
	}
	begun := time.Now()
	var changes, empty, impossible atomic.Int64
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := next.Add(1); seed <= uint64(*pureCases) && !t.Failed(); seed = next.Add(1) {
				d := newDice(seed)
				want, have := d.desired("x"), d.actual("x")
				p := diffOf(want, have)
				if first, again := inBytes(t, p), inBytes(t, diffOf(want, have)); first != again {
					t.Errorf("seed %d: two plans of the same:\n%s\n%s", seed, first, again)
				}
				var left []string
				for _, c := range p.Changes {
					if c.Class == plan.Impossible {
						left = append(left, c.String())
						continue
					}
					simulate(have, c)
				}
				changes.Add(int64(len(p.Changes)))
				var got []string
				for _, c := range diffOf(want, have).Changes {
					got = append(got, c.String())
				}
				if !slices.Equal(left, got) {
					t.Errorf("seed %d: after\n%sthere is still %q, want %q", seed, text(p), got, left)
				}
				if len(left) == 0 {
					empty.Add(1)
				} else {
					impossible.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("F-57: %d random states with %d changes in %.1f s: %d end in an empty plan, %d in what is impossible and nothing else; every plan twice, to the byte",
		*pureCases, changes.Load(), time.Since(begun).Seconds(), empty.Load(), impossible.Load())
}

func inBytes(t *testing.T, p *plan.Plan) string {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// TestRandomStatesOnAClusterEndInAnEmptyPlan does the same with the real apply
// on brokers and a registry: from nothing to one state, and from that to
// another.
func TestRandomStatesOnAClusterEndInAnEmptyPlan(t *testing.T) {
	t.Parallel()
	const each = 100 // cases a cluster: all ACLs are read each time
	if testing.Short() {
		*clusterCases = min(*clusterCases, 20)
	}
	begun := time.Now()
	plans, changes := 0, 0
	var r *rig
	for seed := range *clusterCases {
		if seed%each == 0 {
			r = start(t)
		}
		d := newDice(uint64(seed))
		stock := fmt.Sprintf("c%d", seed)
		for range 2 {
			want := d.desired(stock)
			p := r.plan(t, want)
			target := r.target()
			possible := true
			for _, c := range p.Changes {
				possible = possible && c.Class != plan.Impossible
				if c.Allow != "" && !slices.Contains(target.Allow, c.Allow) {
					target.Allow = append(target.Allow, c.Allow)
				}
			}
			if !possible {
				continue
			}
			if err := plan.Apply(t.Context(), target, p, nil); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, text(p))
			}
			if left := r.plan(t, want); !left.Empty() {
				t.Fatalf("seed %d: after\n%sthere is still\n%s", seed, text(p), text(left))
			}
			plans++
			changes += len(p.Changes)
		}
	}
	t.Logf("F-57: %d random states applied to brokers with %d changes in %.1f s, each followed by an empty plan", plans, changes, time.Since(begun).Seconds())
}
