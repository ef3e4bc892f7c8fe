package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/slipway-go/slipway/internal/kafka"
)

// A Fingerprint tells whether something is what it was, item by item.
type Fingerprint struct {
	Hash  string            `json:"hash"`  // over all items
	Items map[string]string `json:"items"` // hash of each, by kind and name
}

// A part is one thing that is desired, for its fingerprints.
type part struct {
	kind     Kind
	name     string
	services []string
	want     any    // without the reasons: a comment in a contract changes nothing
	have     func() // adds what the cluster has of it
}

// in reports whether a plan for some services, or for all, is about the part.
func (p part) in(services []string) bool {
	return len(services) == 0 || slices.ContainsFunc(p.services, func(s string) bool { return slices.Contains(services, s) })
}

// prints are the fingerprints of what contracts call for, and of what the
// cluster has of it and of what the plan deletes. What is absent has no item.
func prints(want *Desired, have *Actual, p *Plan, services []string) (contracts, state Fingerprint) {
	wanted, is := tally{}, tally{}
	for _, one := range slices.Concat(topicParts(want, have, is), loginParts(want, have, is), otherParts(want, have, is)) {
		if one.in(services) {
			wanted.add(one.kind, one.name, one.want)
			one.have()
		}
	}
	for _, c := range p.Changes {
		if c.Action == Delete {
			is.add(c.Kind, c.Name, c.Note)
		}
	}
	return wanted.print(), is.print()
}

func topicParts(want *Desired, have *Actual, is tally) []part {
	parts := make([]part, len(want.Topics))
	for i, one := range want.Topics {
		names := []string{one.Name, one.Source}
		one.Reasons = nil
		parts[i] = part{KindTopic, one.Name, []string{one.Service}, one, func() {
			for _, name := range names {
				if t, there := have.Topics[name]; there {
					is.add(KindTopic, name, planned(t))
				}
			}
		}}
	}
	return parts
}

// loginParts are users with their rights and bounds.
func loginParts(want *Desired, have *Actual, is tally) []part {
	var parts []part
	for _, one := range want.Users {
		one.Reasons = nil
		parts = append(parts, part{KindUser, one.Name + " " + string(one.Mechanism), []string{one.Service}, one, func() {
			if found, there := have.Users[one.Name]; there {
				is.add(KindUser, one.Name, mechanisms(found))
			}
		}})
	}
	for _, one := range want.Grants {
		var services []string
		for _, r := range one.Reasons {
			services = append(services, r.Service)
		}
		parts = append(parts, part{KindACL, one.Binding.String(), services, nil, func() {
			if have.Bindings[one.Binding] {
				is.add(KindACL, one.Binding.String(), nil)
			}
		}})
	}
	for _, one := range want.Quotas {
		one.Reasons = nil
		parts = append(parts, part{KindQuota, one.User, []string{one.Service}, one, func() {
			if found, there := have.Quotas[one.User]; there {
				is.add(KindQuota, one.User, found)
			}
		}})
	}
	return parts
}

// mechanisms are those that a user can log in by.
func mechanisms(credentials []kafka.Credential) []string {
	var all []string
	for _, c := range credentials {
		all = append(all, string(c.Mechanism))
	}
	return sorted(all)
}

func otherParts(want *Desired, have *Actual, is tally) []part {
	var parts []part
	for _, one := range want.Groups {
		one.Reasons = nil
		parts = append(parts, part{KindGroup, one.Name, []string{one.Service}, one, func() {
			if found, there := have.Groups[one.Name]; there {
				of := map[string]string{}
				for key := range one.Configs {
					of[key] = found[key]
				}
				is.add(KindGroup, one.Name, of)
			}
		}})
	}
	for _, one := range want.Subjects {
		one.Reasons = nil
		parts = append(parts, part{KindSubject, one.Name, []string{one.Service}, one, func() {
			if found, there := have.Subjects[one.Name]; there {
				is.add(KindSubject, one.Name, found)
			}
		}})
	}
	for _, one := range want.Connectors {
		one.Reasons = nil
		parts = append(parts, part{KindConnector, one.Name, []string{one.Service}, one, func() {
			if found := have.Connectors[one.Name]; found.Config != nil {
				is.add(KindConnector, one.Name, found)
			}
		}})
	}
	return parts
}

// planned is a topic with the settings alone that plans are made of.
func planned(t kafka.Topic) kafka.Topic {
	of := map[string]string{}
	for _, key := range []string{kafka.CleanupPolicy, kafka.MaxMessageBytes, kafka.MinInsyncReplicas, kafka.RetentionMillis, retentionBytes, timestampType} {
		of[key] = t.Configs[key]
	}
	t.Configs = of
	return t
}

// A tally collects the hashes of items.
type tally map[string]string

func (t tally) add(kind Kind, name string, item any) {
	text, err := json.Marshal(item)
	if err != nil {
		panic("plan: an item is not JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	t[string(kind)+"/"+name] = hex.EncodeToString(sum[:6])
}

func (t tally) print() Fingerprint {
	text, _ := json.Marshal(t) // sorted by name
	sum := sha256.Sum256(text)
	return Fingerprint{Hash: hex.EncodeToString(sum[:]), Items: t}
}
