package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Reading is one topic that a service reads in a group, as the cluster names
// them.
type Reading struct {
	Topic   string
	Group   string
	Service string
}

func (r Reading) compare(o Reading) int {
	return cmp.Or(cmp.Compare(r.Topic, o.Topic), cmp.Compare(r.Group, o.Group), cmp.Compare(r.Service, o.Service))
}

// reading notes an entry that is read in a group.
func (d *derivation) reading(svc *contract.Service, c *contract.Consume) {
	if c.Grouped() {
		d.out.Readings = append(d.out.Readings, Reading{d.estate.PhysicalTopic(c.Cluster, c.Topic), svc.GroupID(c), svc.Name})
	}
}

// readings answers who is hurt when keys of a topic move.
type readings struct {
	groups     map[string][]string // by topic
	topics     map[string][]string // by group
	partitions func(topic string) int
}

func newReadings(want *Desired, have *Actual) readings {
	r := readings{map[string][]string{}, map[string][]string{}, func(topic string) int { return have.Topics[topic].Partitions }}
	for _, one := range want.Readings {
		r.groups[one.Topic] = append(r.groups[one.Topic], one.Group)
		r.topics[one.Group] = append(r.topics[one.Group], one.Topic)
	}
	return r
}

// hurt tells which groups read a topic, and which topics of as many partitions
// they read beside it: records of one key met in the same place so far.
func (r readings) hurt(topic string) string {
	groups := slices.Compact(slices.Sorted(slices.Values(r.groups[topic])))
	if len(groups) == 0 {
		return ""
	}
	beside := map[string]bool{}
	for _, g := range groups {
		for _, other := range r.topics[g] {
			if other != topic && r.partitions(other) == r.partitions(topic) {
				beside[other] = true
			}
		}
	}
	text := "; it is read by " + listed(groups)
	if len(beside) > 0 {
		text += ", and its keys no longer meet those of " + listed(slices.Sorted(maps.Keys(beside))) + ", which had as many partitions"
	}
	return text
}

// listed joins names, a bounded number of them.
func listed(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + count(len(names)-most, "other", "others")
}
