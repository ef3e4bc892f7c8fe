package importer

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// own gives each topic to the only service that may write it by name, or, if
// rights were guessed and nobody may by name, to the only one that is guessed
// to.
func (b *builder) own(e *estate) {
	exact, guessed := map[string][]*service{}, map[string][]*service{}
	for _, s := range e.services {
		for topic, physical := range s.writable {
			if s.writes[physical] {
				exact[topic] = append(exact[topic], s)
			} else {
				guessed[topic] = append(guessed[topic], s)
			}
		}
	}
	for _, writers := range []map[string][]*service{exact, guessed} {
		for _, topic := range sortedKeys(writers) {
			_, told := e.refused[topic]
			if e.owner[topic] != nil || told || len(exact[topic]) > 1 {
				continue
			}
			if len(writers[topic]) > 1 {
				continue
			}
			if why := b.refuse(topic); why != "" {
				e.refused[topic] = why
				continue
			}
			b.give(e, topic, writers[topic][0], guessed[topic])
		}
	}
	for topic, writers := range exact {
		if len(writers) > 1 {
			names := make([]string, len(writers))
			for i, s := range writers {
				names[i] = s.name
			}
			e.refused[topic] = "several may write it: " + strings.Join(names, ", ")
		}
	}
}

// give makes a service the owner of a topic, and lets others write it that are
// guessed to.
func (b *builder) give(e *estate, topic string, s *service, guessed []*service) {
	e.owner[topic] = s
	s.owns = append(s.owns, topic)
	slices.Sort(s.owns)
	for _, other := range guessed {
		if other != s {
			if s.writers == nil {
				s.writers = map[string][]string{}
			}
			s.writers[topic] = append(s.writers[topic], other.name)
		}
	}
	if !b.at.naming.MatchString(topic) {
		e.free = true
	}
}

// refuse says why no contract can own a topic; empty if one can.
func (b *builder) refuse(topic string) string {
	t, known := b.in.Topics[b.at.prefix+topic]
	switch {
	case b.unowned[topic] != "":
		return b.unowned[topic]
	case strings.HasPrefix(topic, "svc-"), strings.HasPrefix(topic, "__"):
		return "its name begins like one of Slipway's or Kafka's own"
	case b.at.written && !b.at.naming.MatchString(topic):
		return fmt.Sprintf("its name does not match the rule of %s, %s", contract.ClustersFile, b.at.naming)
	case !known && b.in.Source == FromStrimzi:
		return "there is no KafkaTopic for it"
	case compacted(t) && b.opt.Keys[topic] == "":
		return "it is compacted, and which field of the value is the key is not known"
	}
	return ""
}

func compacted(t kafka.Topic) bool {
	return strings.Contains(t.Configs[kafka.CleanupPolicy], "compact")
}

// brokerMaxMessage is Kafka's default of max.message.bytes.
const brokerMaxMessage = 1<<20 + 12

// sizes are what a contract states of a topic it owns, in its own words.
func (b *builder) sizes(topic string) []string {
	t := b.in.Topics[b.at.prefix+topic]
	var out []string
	add := func(key, value string) { out = append(out, key+": "+value) }
	if field := b.opt.Keys[topic]; field != "" {
		add("key", quote(field))
	}
	if t.Partitions > 0 {
		add("partitions", strconv.Itoa(t.Partitions))
	}
	if t.Replicas > 0 && t.Replicas != b.at.defaults.Replicas {
		add("replicas", strconv.Itoa(t.Replicas))
	}
	policy := t.Configs[kafka.CleanupPolicy]
	if keep := kept(t.Configs[kafka.RetentionMillis]); keep != "" && policy != "compact" {
		add("retention", keep)
	}
	if compacted(t) {
		add("compact", "true")
	}
	if n := largest(t); n > 0 {
		add("maxMessage", contract.Bytes(n).String())
	}
	return out
}

// kept writes retention.ms as a contract does; empty if it cannot.
func kept(millis string) string {
	n, err := strconv.ParseInt(millis, 10, 64)
	switch {
	case err != nil:
		return ""
	case n == -1:
		return "forever"
	case n < time.Minute.Milliseconds(), n > contract.MaxDuration.Milliseconds():
		return ""
	}
	return contract.FormatDuration(time.Duration(n) * time.Millisecond)
}

// largest is max.message.bytes where it is not Kafka's default and a contract
// can state it, else 0.
func largest(t kafka.Topic) int64 {
	n, err := strconv.ParseInt(t.Configs[kafka.MaxMessageBytes], 10, 64)
	if err != nil || n == brokerMaxMessage || n < 1<<10 || n > 1<<30 {
		return 0
	}
	return n
}

// limits are the quotas of a user as a contract states them, and which of them
// it does state.
func (b *builder) limits(user string) (settings []string, stated map[string]bool) {
	stated = map[string]bool{}
	for _, q := range []struct {
		key, word   string
		least, most float64
		text        func(int64) string
	}{
		{kafka.QuotaProduce, "produce", 1 << 10, 1 << 40, func(n int64) string { return contract.ByteRate(n).String() }},
		{kafka.QuotaConsume, "consume", 1 << 10, 1 << 40, func(n int64) string { return contract.ByteRate(n).String() }},
		{kafka.QuotaRequests, "requests", 1, 100_000, func(n int64) string { return contract.Percent(n).String() }},
	} {
		limit, bounded := b.in.Quotas[user][q.key]
		if bounded && limit >= q.least && limit <= q.most && limit == math.Trunc(limit) {
			settings = append(settings, q.word+": "+q.text(int64(limit)))
			stated[q.key] = true
		}
	}
	return settings, stated
}

// maxExternal is how many topics external.yaml lists that no contract uses.
const maxExternal = 5000

// others lists what no service of the import owns.
func (b *builder) others(e *estate) {
	used := map[string]bool{}
	for _, s := range e.services {
		for _, topic := range s.produces {
			used[topic] = true
		}
		for _, r := range s.readings {
			used[r.topic] = true
		}
	}
	for topic := range used {
		if e.owner[topic] == nil {
			e.external.topics = append(e.external.topics, topic)
		}
	}
	unused := 0
	for _, topic := range sortedKeys(b.in.Topics) {
		logical, ok := b.logical(topic)
		if !ok || used[logical] || b.derived(topic) || strings.HasPrefix(topic, "__") || unused == maxExternal {
			continue
		}
		unused++
		e.external.topics = append(e.external.topics, logical)
	}
	slices.Sort(e.external.topics)
	b.otherNames(e)
}

// otherNames are the groups and principals that have no contract. Those that
// Slipway made are left out: that they are of nobody is for a plan to tell.
func (b *builder) otherNames(e *estate) {
	principals, groups := map[string]bool{}, map[string]bool{}
	for _, r := range b.rights {
		principals[r.principal] = true
		for group := range r.groups {
			groups[group] = e.joined[group] == nil
		}
	}
	for user := range b.in.Users {
		principals["User:"+user] = true
	}
	for _, s := range e.services {
		delete(principals, s.principal)
	}
	for principal := range principals {
		user, ok := strings.CutPrefix(principal, "User:")
		if ok && holdable(principal) && user != "" && !b.identity.MatchString(user) && !b.redriver(user) {
			e.external.principals = append(e.external.principals, principal)
		}
	}
	for group, free := range groups {
		if free && holdable(group) && !b.identity.MatchString(group) && !b.redriver(group) && group != plan.LockGroup(b.opt.Env) {
			e.external.groups = append(e.external.groups, group)
		}
	}
	slices.Sort(e.external.principals)
	slices.Sort(e.external.groups)
}
