package plan

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
)

// diffTopics compares topics, those that serve others with these in view.
func diffTopics(desired *Desired, have *Actual) []Change {
	want := desired.Topics
	byName := map[string]Topic{}
	retries := map[string][]string{} // source → where its records wait
	for _, t := range want {
		byName[t.Name] = t
		if t.Role == Retries {
			retries[t.Source] = append(retries[t.Source], t.Name)
		}
	}
	var changes []Change
	readings := newReadings(desired, have)
	for _, t := range want {
		for _, c := range diffTopic(t.fitted(byName, have), have, retries[t.Name]) {
			if c.Class == Disruptive && c.grows() {
				c.Note += readings.hurt(t.Name)
			}
			changes = append(changes, c)
		}
	}
	return changes
}

func diffTopic(want Topic, have *Actual, retries []string) []Change {
	is, exists := have.Topics[want.Name]
	if !exists {
		return []Change{createTopic(want, have.Brokers)}
	}
	var changes []Change
	switch {
	case want.Role == Owned && want.Partitions > 0 && want.Partitions != is.Partitions:
		changes = append(changes, repartition(want, is, retries))
	case want.Role == Retries && want.Partitions > is.Partitions:
		changes = append(changes, follow(want, is))
	}
	if want.Replicas > 0 && want.Replicas != is.Replicas {
		changes = append(changes, replicate(want, is, have.Brokers))
	}
	for _, key := range slices.Sorted(maps.Keys(want.Configs)) {
		if before, after := is.Configs[key], want.Configs[key]; !want.suits(key, before, after) {
			changes = append(changes, reconfigure(want, key, before, after))
		}
	}
	return changes
}

func createTopic(t Topic, brokers int) Change {
	c := Change{Action: Create, Kind: KindTopic, Name: t.Name, Role: t.Role, Class: Safe, Service: t.Service, Reasons: t.Reasons, item: item{topic: t}}
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
		Action: Update, Kind: KindTopic, Name: t.Name, Role: t.Role, Class: Safe, Service: t.Service, Reasons: t.Reasons,
		Fields: []Field{{field, before, after}},
		item:   item{topic: Topic{Name: t.Name}},
	}
}

// follow gives a retry topic the partitions of its source. Nothing moves:
// records go to the partition of their source by its number.
func follow(want Topic, is kafka.Topic) Change {
	c := updateTopic(want, "partitions", strconv.Itoa(is.Partitions), strconv.Itoa(want.Partitions))
	c.item.topic.Partitions = want.Partitions
	return c
}

func repartition(want Topic, is kafka.Topic, retries []string) Change {
	c := updateTopic(want, "partitions", strconv.Itoa(is.Partitions), strconv.Itoa(want.Partitions))
	c.item.topic.Partitions = want.Partitions
	c.item.after = retries
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
		if len(retries) > 0 {
			c.Note += fmt.Sprintf("; what waits in %s no longer holds back later records of a key that moves, so let it drain first", strings.Join(retries, " and "))
		}
	}
	return c
}

// replicate changes how many brokers hold a topic.
func replicate(want Topic, is kafka.Topic, brokers int) Change {
	c := updateTopic(want, "replicas", strconv.Itoa(is.Replicas), strconv.Itoa(want.Replicas))
	c.item.topic.Replicas = want.Replicas
	insync, _ := strconv.Atoi(cmp.Or(want.Configs[kafka.MinInsyncReplicas], is.Configs[kafka.MinInsyncReplicas]))
	switch {
	case want.Replicas > brokers:
		c.Class = Impossible
		c.Note = fmt.Sprintf("%d replicas need as many brokers, and the cluster has %d; lower replicas for this environment or add brokers", want.Replicas, brokers)
	case want.Replicas < insync:
		c.Class = Impossible
		c.Note = fmt.Sprintf("min.insync.replicas is %d: with %d replicas no producer could write any more; lower it first", insync, want.Replicas)
	case want.Replicas > is.Replicas:
		c.Class, c.Allow = Disruptive, "replicas:"+want.Name
		c.Note = "the brokers copy the whole topic, which takes their disks and network until it is done"
	default:
		c.Class, c.Allow = Disruptive, "replicas:"+want.Name
		c.Note = "copies are given up: fewer brokers may be lost from then on before the topic is"
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

// suits reports whether a setting may stay as it is. A derived topic may take
// larger records than it must: what its source took when it was allowed to
// still has to fit.
func (t Topic) suits(key, is, want string) bool {
	if key == kafka.MaxMessageBytes && t.Source != "" && less(want, is) {
		return true
	}
	return sameSetting(key, is, want)
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
	case kafka.CleanupPolicy, kafka.RetentionMillis, retentionBytes:
		if t.Role == Retries { // it keeps everything from then on, as a safe change may
			c.Note = "records that waited there may have been deleted already: compare with the dead letters and the service's own state"
			return c
		}
	}
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

// with returns settings of which one is another.
func with(configs map[string]string, key, value string) map[string]string {
	configs = maps.Clone(configs)
	configs[key] = value
	return configs
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
