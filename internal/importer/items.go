package importer

import (
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

// items is everything that an estate does not express. Without a resolved
// estate no right is.
func (b *builder) items(e *estate, resolved *contract.Resolved) []Item {
	called := map[acl.Binding]bool{}
	if resolved != nil {
		for _, g := range acl.Derive(resolved) {
			called[g.Binding] = true
		}
	}
	x := explainer{b, e, map[string]*service{}, map[string]bool{}, called}
	for _, s := range e.services {
		x.by[s.principal] = s
	}
	for _, r := range b.rights {
		x.grouped[r.principal] = r.grouped
	}
	items := append([]Item{}, b.in.Left...)
	for _, bound := range b.bindings {
		if !called[bound] {
			items = append(items, x.right(bound))
		}
	}
	items = append(items, x.topics()...)
	items = append(items, x.settings()...)
	items = append(items, x.users()...)
	items = append(items, x.quotas()...)
	return sorted(append(items, x.unknown()...))
}

// topics are those whose writers are known and that nobody owns all the same.
func (x explainer) topics() []Item {
	var items []Item
	for _, topic := range sortedKeys(x.estate.refused) {
		do := "leave it in " + contract.ExternalFile + ", or change the topic and move it to topics of its writer's contract"
		switch why := x.estate.refused[topic]; {
		case strings.HasPrefix(why, "several"):
			do = "move it to topics of the contract of the one that decides its shape, and list the others there as writers"
		case strings.HasPrefix(why, "it is compacted"):
			do = fmt.Sprintf("import again with --key %s=FIELD", topic)
		}
		items = append(items, Item{Code: diag.ImportTopic, What: "topic " + topic, Why: x.estate.refused[topic] + "; so it is external", Do: do})
	}
	for _, name := range sortedKeys(x.bare) {
		items = append(items, Item{Code: diag.ImportTopic, Principal: "service " + name, What: "retries and dead letters", Why: x.bare[name], Do: "write retry into the consume entries by hand, and see what a plan says"})
	}
	return items
}

// settings are what a contract does not state of a topic that it owns.
func (x explainer) settings() []Item {
	var items []Item
	for _, topic := range sortedKeys(x.estate.owner) {
		var odd []string
		for _, key := range sortedKeys(x.in.Settings[x.at.prefix+topic]) {
			switch key {
			case kafka.CleanupPolicy, kafka.RetentionMillis, kafka.MaxMessageBytes, kafka.MinInsyncReplicas:
			default:
				odd = append(odd, key+"="+x.in.Settings[x.at.prefix+topic][key])
			}
		}
		if len(odd) > 0 {
			items = append(items, Item{Code: diag.ImportTopic, What: "settings of topic " + topic, Why: "contracts do not state " + strings.Join(odd, ", "), Do: "nothing: plans leave them as they are"})
		}
	}
	return items
}

// users are those without rights, and second passwords of those with a
// contract.
func (x explainer) users() []Item {
	var items []Item
	holds := map[string]bool{}
	for _, bound := range x.bindings {
		holds[bound.Principal] = true
	}
	for _, user := range sortedKeys(x.in.Users) {
		principal := "User:" + user
		s := x.by[principal]
		if s == nil && !holds[principal] {
			items = append(items, Item{diag.ImportUser, principal, "user " + user, "it can log in and has no right of its own", "delete it if nobody uses it: slipway user delete; a super user needs no rights"})
		}
		for _, c := range x.in.Users[user] {
			if s != nil && c.Mechanism != s.auth {
				items = append(items, Item{diag.ImportUser, principal, fmt.Sprintf("password of %s by %s", user, c.Mechanism), "a contract has one way to log in, " + string(s.auth), "remove it once no instance logs in by it"})
			}
		}
	}
	return items
}

// quotas are limits of users without a contract, and those that a contract
// cannot state.
func (x explainer) quotas() []Item {
	var items []Item
	for _, user := range sortedKeys(x.in.Quotas) {
		_, declared := x.by["User:"+user]
		_, stated := x.limits(user)
		for _, key := range sortedKeys(x.in.Quotas[user]) {
			if declared && stated[key] {
				continue
			}
			why := "no contract of the import is this user's"
			if declared {
				why = "a contract states whole bytes a second from 1KiB to 1TiB, and whole percents"
			}
			items = append(items, Item{
				Code: diag.ImportQuota, Principal: "User:" + user, What: fmt.Sprintf("quota %s=%v", key, x.in.Quotas[user][key]),
				Why: why, Do: "leave it to those who administer the cluster: plans leave alone what contracts do not state",
			})
		}
	}
	return items
}

// unknown is what no source of this kind can tell.
func (x explainer) unknown() []Item {
	var items []Item
	say := func(what, why, do string) {
		items = append(items, Item{Code: diag.ImportUnknown, What: what, Why: why, Do: do})
	}
	owned, kept, guessedAuth := 0, 0, 0
	for _, s := range x.estate.services {
		owned += len(s.owns)
		for _, r := range s.readings {
			if r.letters || r.retries {
				kept++
			}
		}
		if len(x.in.Users[s.user()]) == 0 && x.in.Auth[s.principal] == "" {
			guessedAuth++
		}
	}
	if x.opt.Owner == "unknown" && len(x.estate.services) > 0 {
		say("owner of every contract", "rights name nobody to ask", "write the team into metadata.owner, or import again with --owner TEAM")
	}
	if owned > 0 {
		say("key and schema of "+count(owned, "owned topic", "owned topics"), "brokers do not know them", "add key and schema to topics; with a key, consume entries can keep the order of keys instead of that of partitions")
	}
	if kept > 0 {
		say("waits and order of "+count(kept, "consume entry with retries", "consume entries with retries"), "the cluster has the topics for them, and not how they are used", "take retry and order from the service's own contract, if it has one")
	}
	if guessedAuth > 0 {
		say("way to log in of "+count(guessedAuth, "service", "services"), "the cluster holds no password of theirs: it can be a certificate, or a mechanism that Slipway does not plan", "check identity.auth; mtls was written")
	}
	if !x.at.written {
		for _, l := range x.listeners(x.estate) {
			if l.address == "" {
				say("address of the "+l.name+" listener", "nothing that was read tells it", "write it into bootstrap of "+contract.ClustersFile+" in place of "+unknownAddress)
			}
		}
		if x.in.ClusterID == "" {
			say("id of the cluster", "files do not tell it", "write it into "+contract.ClustersFile+" in place of unknown; a plan says which one answers")
		}
		if x.estate.free {
			say("rule for the names of topics", "there are names that the usual rule, "+contract.DefaultTopicNaming+", does not allow", "narrow naming.topic in "+contract.ClustersFile+" once they are gone")
		}
	}
	return append(items, x.cut()...)
}

// cut tells what is not listed because there is too much of it.
func (x explainer) cut() []Item {
	unlisted := len(x.in.Topics) - len(x.estate.external.topics) - len(x.estate.owner)
	if len(x.in.Topics) <= maxExternal || unlisted <= 0 {
		return nil
	}
	return []Item{{Code: diag.ImportUnknown, What: fmt.Sprintf("%d topics", unlisted), Why: fmt.Sprintf("%s lists at most %d that no contract uses", contract.ExternalFile, maxExternal), Do: "nothing; plans leave alone what is not listed"}}
}

// count says how many there are of something, in words that agree.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
