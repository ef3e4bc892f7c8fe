package importer

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/plan"
)

// suffixForm is what the name of a second group may end with, after a point.
var suffixForm = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)

// join finds out what each service reads, and in which groups.
func (b *builder) join(e *estate) {
	e.joined = b.allot(e)
	for _, s := range e.services {
		own := map[string]bool{}
		for group, owner := range e.joined {
			if owner == s {
				own[group] = true
			}
		}
		suffixes := b.base(s, own)
		for group := range own {
			if _, covered := suffixes[group]; !covered {
				delete(e.joined, group)
			}
		}
		for _, topic := range sortedKeys(s.readable) {
			b.read(s, topic, suffixes)
		}
	}
}

// allot gives each group to one service. A group that several may join goes to
// the one that may read the most of what it has committed in, the first by name
// among equals.
func (b *builder) allot(e *estate) map[string]*service {
	joined := map[string]*service{}
	score := map[string]int{}
	for _, s := range e.services {
		for group := range s.groups {
			if !holdable(group) || b.redriver(group) || group == plan.LockGroup(b.opt.Env) {
				continue
			}
			n := 1
			for _, topic := range b.in.Groups[group].Topics {
				if _, reads := s.reads[topic]; reads {
					n++
				}
			}
			if n > score[group] {
				joined[group], score[group] = s, n
			}
		}
	}
	return joined
}

// base chooses the group's name that a contract states once, with a suffix for
// each other group: the one that covers the most of the service's groups. It
// returns the suffix of every group that is covered.
func (b *builder) base(s *service, own map[string]bool) map[string]string {
	candidates := map[string]bool{s.identity: true}
	for group := range own {
		candidates[group] = true
		if at := strings.LastIndexByte(group, '.'); at > 0 && suffix(group[at+1:]) {
			candidates[group[:at]] = true
		}
	}
	var best map[string]string
	for _, candidate := range slices.SortedFunc(maps.Keys(candidates), func(x, y string) int {
		return cmp.Or(compareFalse(x == s.identity, y == s.identity), compareFalse(own[x], own[y]), cmp.Compare(x, y))
	}) {
		covered := map[string]string{}
		for group := range own {
			rest, found := strings.CutPrefix(group, candidate)
			if found && rest == "" || found && rest[0] == '.' && suffix(rest[1:]) {
				covered[group] = strings.TrimPrefix(rest, ".")
			}
		}
		if best == nil || len(covered) > len(best) {
			best, s.group = covered, candidate
		}
	}
	return best
}

func suffix(text string) bool { return len(text) <= 40 && suffixForm.MatchString(text) }

// compareFalse sorts true before false.
func compareFalse(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// read adds the entries of a topic: one for each group that has committed in
// it or has a topic derived for it, one for the service's group if there is no
// such sign, a table if the service is in no group at all.
func (b *builder) read(s *service, topic string, suffixes map[string]string) {
	if !s.grouped {
		s.readings = append(s.readings, reading{name: topic, topic: topic, as: contract.Table})
		return
	}
	physical := s.readable[topic]
	var groups []string
	elsewhere := false
	for _, group := range sortedKeys(s.groups) {
		commits := slices.Contains(b.in.Groups[group].Topics, physical)
		suffix, covered := suffixes[group]
		switch {
		case !covered:
			elsewhere = elsewhere || commits
		case commits || b.sign(s, suffix, topic):
			groups = append(groups, group)
		}
	}
	guess := !s.reads[physical] && b.commits(s)
	if len(groups) == 0 && len(suffixes) > 0 && !elsewhere && !guess {
		groups = []string{first(suffixes)}
	}
	for i, group := range groups {
		r := b.reading(s, group, suffixes[group], topic)
		if i > 0 {
			r.name = spare(s, topic+"."+cmp.Or(r.suffix, "again"))
		}
		s.readings = append(s.readings, r)
	}
}

// first is the group without a suffix, or the first by name.
func first(suffixes map[string]string) string {
	groups := sortedKeys(suffixes)
	if i := slices.IndexFunc(groups, func(g string) bool { return suffixes[g] == "" }); i >= 0 {
		return groups[i]
	}
	return groups[0]
}

// spare is a name for an entry that is no topic of the service.
func spare(s *service, name string) string {
	taken := func(n string) bool {
		return s.readable[n] != "" || slices.ContainsFunc(s.readings, func(r reading) bool { return r.name == n })
	}
	name = name[:min(len(name), 240)]
	for taken(name) {
		name += "-2"
	}
	return name
}

// commits reports whether any group of the service has committed anything: then
// a topic in which none has is not taken for read because of a wide right.
func (b *builder) commits(s *service) bool {
	for group := range s.groups {
		if len(b.in.Groups[group].Topics) > 0 {
			return true
		}
	}
	return false
}

// sign reports whether a topic was derived for an entry.
func (b *builder) sign(s *service, suffix, topic string) bool {
	return b.retries(s, suffix, topic) || b.letters(s, suffix, topic)
}

func (b *builder) retries(s *service, suffix, topic string) bool {
	name := offshoot(s, suffix, topic, "retry")
	return b.exists(name) && b.may(s.principal, acl.Read, name) && b.may(s.principal, acl.Write, name) &&
		b.may(s.principal, acl.Delete, name)
}

func (b *builder) letters(s *service, suffix, topic string) bool {
	name := offshoot(s, suffix, topic, "dlq")
	return b.exists(name) && b.may(s.principal, acl.Write, name)
}

// exists takes the word of a source that does not know topics.
func (b *builder) exists(topic string) bool {
	_, found := b.in.Topics[topic]
	return found || !b.in.live()
}

// offshoot is the name of a topic that Slipway derives for an entry.
func offshoot(s *service, suffix, topic, kind string) string {
	if suffix != "" {
		suffix += "."
	}
	return s.identity + "." + suffix + topic + "." + kind
}

// reading is the entry by which a service reads a topic in a group.
func (b *builder) reading(s *service, group, suffix, topic string) reading {
	r := reading{name: topic, topic: topic, suffix: suffix, as: contract.Stream}
	if b.bare[s.name] == "" {
		r.retries, r.letters = b.retries(s, suffix, topic), b.letters(s, suffix, topic)
	}
	switch b.in.Groups[group].Protocol {
	case kafka.ConsumerProtocol:
		r.protocol = contract.Consumer
	case kafka.ShareProtocol:
		r.as = contract.Share
	case "":
		if r.letters && !r.retries && len(s.txns) == 0 {
			r.as = contract.Share // nothing else has dead letters and no retries
		}
	}
	return r
}
