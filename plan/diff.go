package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// Diff compares what is desired with what is. It is pure. It fails only, as
// [ErrRefused], if the cluster is not the one the desired state is for.
func Diff(want *Desired, have *Actual) (*Plan, error) {
	if err := checkCluster(want, have); err != nil {
		return nil, err
	}
	p := &Plan{Env: want.Env, Cluster: want.Cluster, ClusterID: have.ClusterID, Changes: []Change{}}
	for _, t := range want.Topics {
		p.Changes = append(p.Changes, diffTopic(t, have)...)
	}
	for _, u := range want.Users {
		p.Changes = append(p.Changes, diffUser(u, have)...)
	}
	for _, g := range want.Grants {
		if !have.Bindings[g.Binding] {
			p.Changes = append(p.Changes, createBinding(g))
		}
	}
	for _, s := range want.Subjects {
		p.Changes = append(p.Changes, diffSubject(s, have.Subjects[s.Name])...)
	}
	slices.SortStableFunc(p.Changes, Change.compare)
	p.seal()
	return p, nil
}

func checkCluster(want *Desired, have *Actual) error {
	if want.ClusterID == "" || want.ClusterID == have.ClusterID {
		return nil
	}
	return refuse(diag.New(diag.PlanWrongCluster, "cluster %s is pinned to id %s, and the one that answers has id %s",
		want.Cluster, want.ClusterID, have.ClusterID))
}

func diffTopic(want Topic, have *Actual) []Change {
	is, exists := have.Topics[want.Name]
	if !exists {
		return []Change{createTopic(want, have.Brokers)}
	}
	var changes []Change
	if want.Role == Owned && want.Partitions > 0 && want.Partitions != is.Partitions {
		changes = append(changes, repartition(want, is))
	}
	if want.Replicas > 0 && want.Replicas != is.Replicas {
		c := updateTopic(want, "replicas", strconv.Itoa(is.Replicas), strconv.Itoa(want.Replicas))
		c.Class = Impossible
		c.Note = fmt.Sprintf("replicas move by kafka-reassign-partitions.sh only; set replicas: %d for this environment until they have", is.Replicas)
		changes = append(changes, c)
	}
	for _, key := range slices.Sorted(maps.Keys(want.Configs)) {
		if before, after := is.Configs[key], want.Configs[key]; !sameSetting(key, before, after) {
			changes = append(changes, reconfigure(want, key, before, after))
		}
	}
	return changes
}

func createTopic(t Topic, brokers int) Change {
	c := Change{Action: Create, Kind: KindTopic, Name: t.Name, Class: Safe, Service: t.Service, Reasons: t.Reasons, item: item{topic: t}}
	if t.Partitions > 0 {
		c.Fields = append(c.Fields, Field{Name: "partitions", After: strconv.Itoa(t.Partitions)})
	}
	if t.Replicas > 0 {
		c.Fields = append(c.Fields, Field{Name: "replicas", After: strconv.Itoa(t.Replicas)})
	}
	for _, key := range slices.Sorted(maps.Keys(t.Configs)) {
		c.Fields = append(c.Fields, Field{Name: key, After: t.Configs[key]})
	}
	if t.Replicas > brokers {
		c.Class = Impossible
		c.Note = fmt.Sprintf("%d replicas need as many brokers, and the cluster has %d; lower replicas for this environment or add brokers", t.Replicas, brokers)
	}
	return c
}

// updateTopic is a safe update of one property; item holds that property
// alone, so that applying it touches nothing else.
func updateTopic(t Topic, field, before, after string) Change {
	return Change{
		Action: Update, Kind: KindTopic, Name: t.Name, Class: Safe, Service: t.Service, Reasons: t.Reasons,
		Fields: []Field{{field, before, after}},
		item:   item{topic: Topic{Name: t.Name}},
	}
}

func repartition(want Topic, is kafka.Topic) Change {
	c := updateTopic(want, "partitions", strconv.Itoa(is.Partitions), strconv.Itoa(want.Partitions))
	c.item.topic.Partitions = want.Partitions
	switch {
	case want.Partitions < is.Partitions:
		c.Class = Impossible
		c.Note = fmt.Sprintf("a topic never loses partitions; write partitions: %d, or make a new topic with the next version in its name and move over", is.Partitions)
	case slices.Contains(want.Protect, contract.ProtectRepartition):
		c.Class = Impossible
		c.Note = fmt.Sprintf("the contract protects it from repartition; write partitions: %d, or take repartition out of protect first", is.Partitions)
	case want.Keyed:
		c.Class = Disruptive
		c.Allow = "repartition:" + want.Name
		c.Note = fmt.Sprintf("%d%% of the keys move to another partition: their order is lost across the change, and compaction and tables see them twice",
			moving(is.Partitions, want.Partitions))
	}
	return c
}

// moving is the share of keys, in percent, that are placed elsewhere when n
// partitions become m: a hash stays where it is if it leaves the same
// remainder by both.
func moving(n, m int) int {
	lcm := n / gcd(n, m) * m
	return int(math.Round(100 * (1 - float64(min(n, m))/float64(lcm))))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sameSetting(key, a, b string) bool {
	if key != kafka.CleanupPolicy {
		return a == b
	}
	set := func(s string) []string {
		parts := strings.Split(strings.ReplaceAll(s, " ", ""), ",")
		slices.Sort(parts)
		return parts
	}
	return slices.Equal(set(a), set(b))
}

func reconfigure(t Topic, key, before, after string) Change {
	c := updateTopic(t, key, before, after)
	c.item.topic.Configs = map[string]string{key: after}
	switch key {
	case kafka.RetentionMillis:
		if less(after, before) {
			c.Class, c.Allow = Destructive, "retention:"+t.Name
			c.Note = "records older than the new retention are deleted at once"
		}
	case kafka.CleanupPolicy:
		c.Class, c.Allow = Destructive, "cleanup:"+t.Name
		c.Note = "the broker begins to delete records by the new policy, and compaction refuses records without a key"
	case kafka.MaxMessageBytes:
		if less(after, before) {
			c.Class, c.Allow = Disruptive, "max-message:"+t.Name
			c.Note = "producers of larger batches are refused from then on"
		}
	case kafka.MinInsyncReplicas:
		c.Class, c.Allow = Disruptive, "min-insync:"+t.Name
		c.Note = "with fewer, an acknowledged record can be lost with fewer brokers; with more, producers stop when fewer are in sync"
	}
	return c
}

// less compares sizes and times, where a negative one means without end.
func less(a, b string) bool {
	return limit(a) < limit(b)
}

func limit(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return math.MaxInt64
	}
	return n
}

func diffUser(want User, have *Actual) []Change {
	for _, is := range have.Users[want.Name] {
		if is.Mechanism == want.Mechanism {
			return nil
		}
	}
	return []Change{{
		Action: Create, Kind: KindUser, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
		Fields: []Field{{Name: "mechanism", After: string(want.Mechanism)}},
		item:   item{user: want},
	}}
}

func createBinding(g acl.Grant) Change {
	return Change{
		Action: Create, Kind: KindACL, Name: g.Binding.String(), Class: Safe, Service: g.Reasons[0].Service, Reasons: g.Reasons,
		Fields: []Field{
			{Name: "principal", After: g.Principal},
			{Name: "operation", After: string(g.Operation)},
			{Name: "resourceType", After: string(g.ResourceType)},
			{Name: "name", After: g.Name},
			{Name: "pattern", After: string(g.Pattern)},
			{Name: "permission", After: string(g.Permission)},
			{Name: "host", After: g.Host},
		},
		item: item{binding: g.Binding},
	}
}

func diffSubject(want Subject, is SubjectState) []Change {
	var changes []Change
	if want.Level != is.Level {
		changes = append(changes, relevel(want, is.Level))
	}
	if !is.Registered {
		changes = append(changes, register(want, is))
	}
	return changes
}

func relevel(want Subject, before contract.Compatibility) Change {
	c := Change{
		Action: Update, Kind: KindSubject, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
		Fields: []Field{{"compatibility", string(before), string(want.Level)}},
		item:   item{subject: want},
	}
	if before == "" {
		c.Action = Create
	} else if loosens(before, want.Level) {
		c.Class, c.Allow = Disruptive, "compatibility:"+want.Name
		c.Note = "versions that the present level refuses can be registered from then on; who relies on it must know"
	}
	return c
}

// promises are the pairs of versions that a level keeps readable: b that the
// new schema reads the last one's data, B that of all before; f and F that the
// last one, or all before, read the new one's.
var promises = map[contract.Compatibility]string{
	contract.NoCompatibility:    "",
	contract.Backward:           "b",
	contract.BackwardTransitive: "bB",
	contract.Forward:            "f",
	contract.ForwardTransitive:  "fF",
	contract.Full:               "bf",
	contract.FullTransitive:     "bBfF",
}

func loosens(before, after contract.Compatibility) bool {
	return strings.ContainsFunc(promises[before], func(p rune) bool {
		return !strings.ContainsRune(promises[after], p)
	})
}

// register is a new version. The registry judged it by the subject's present
// level; if that is about to change, its judgement is not the last word.
func register(want Subject, is SubjectState) Change {
	sum := sha256.Sum256([]byte(want.Schema))
	c := Change{
		Action: Create, Kind: KindSchema, Name: want.Name, Class: Safe, Service: want.Service, Reasons: want.Reasons,
		Fields: []Field{
			{Name: "format", After: string(want.Format)},
			{Name: "sha256", After: hex.EncodeToString(sum[:6])},
		},
		item: item{subject: want},
	}
	if len(is.Incompatible) > 0 && is.Level == want.Level {
		c.Class = Impossible
		c.Note = fmt.Sprintf("it is not %s compatible: %s", want.Level, strings.Join(is.Incompatible, "; "))
	}
	return c
}
