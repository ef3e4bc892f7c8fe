package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/internal/kafka"
)

// An Orphan is something on the cluster that is the estate's by its name and
// that no contract declares. It does no harm by being listed: it is deleted
// only if it is named, see [Plan.Deleting].
type Orphan struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`              // of ACLs: the principal
	Service string `json:"service,omitempty"` // that it is or was of, if its name tells
	Text    string `json:"text"`              // what it is, in a few words
	Allow   string `json:"allow"`             // what --allow must name for it to be deleted

	// Evidence is what was seen that bears on whether it can go.
	Evidence []string `json:"evidence,omitempty"`

	bindings    []acl.Binding
	credentials []kafka.Credential
	limits      map[string]float64
}

// String tells the orphan in one line, without its evidence.
func (o Orphan) String() string { return fmt.Sprintf("%s %s: %s", o.Kind, o.Name, o.Text) }

const deletePrefix = "delete:"

func allowDelete(kind Kind, name string) string { return deletePrefix + string(kind) + "/" + name }

// Orphans returns what is there, is the estate's and is declared by no
// contract, in the order of kinds and names. It takes a surveyed cluster
// ([Actual.Survey]) and the estate's scope; without either, and so with a part
// of an estate, nothing is an orphan.
func Orphans(want *Desired, have *Actual) []Orphan {
	if have.Inventory == nil || want.Scope == nil {
		return nil
	}
	s := search{want, have, want.Scope, have.Inventory}
	all := slices.Concat(s.topics(), s.users(), s.bindings(), s.quotas(), s.groups(), s.connectors())
	slices.SortFunc(all, func(a, b Orphan) int {
		return cmp.Or(cmp.Compare(turn(a.Kind), turn(b.Kind)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func turn(k Kind) int { return slices.Index(applyOrder, k) }

// A search is for orphans of one cluster.
type search struct {
	want  *Desired
	have  *Actual
	scope *Scope
	all   *Inventory
}

func (s search) topics() []Orphan {
	declared := map[string]bool{}
	for _, t := range s.want.Topics {
		declared[t.Name], declared[t.Source] = true, true
	}
	var found []Orphan
	for name, partitions := range s.all.Topics {
		service, ours := s.scope.topic(name)
		if declared[name] || !ours {
			continue
		}
		o := Orphan{Kind: KindTopic, Name: name, Service: service, Text: "topic that no contract owns"}
		switch {
		case service == "":
		case strings.HasSuffix(name, ".retry"):
			o.Text = "retry topic that no contract derives"
		default:
			o.Text = "dead letters that no contract derives"
		}
		o.Evidence = append(o.Evidence, count(partitions, "partition", "partitions"))
		if service != "" {
			o.Evidence = append(o.Evidence, s.readers(name)...)
		}
		found = append(found, o)
	}
	return allowed(found)
}

// readers are the groups of the service that a derived topic is named after.
func (s search) readers(topic string) []string {
	identity, _, _ := strings.Cut(topic, ".")
	var told []string
	for id, state := range s.all.Groups {
		if base, _, _ := strings.Cut(id, "."); base == identity {
			told = append(told, fmt.Sprintf("group %s is still there (%s)", id, cmp.Or(state, "state unknown")))
		}
	}
	slices.Sort(told)
	return told
}

// users are credentials that nobody asked for: all of a user that no contract
// declares, of the others those of a mechanism they do not use.
func (s search) users() []Orphan {
	declared := map[string]bool{}
	for _, u := range s.want.Users {
		declared[u.Name] = true
		declared[u.Name+" "+string(u.Mechanism)] = true
	}
	var found []Orphan
	for name, credentials := range s.all.Users {
		service, ours := s.scope.user(name)
		if !ours || s.applies("User:"+name) {
			continue
		}
		o := Orphan{Kind: KindUser, Name: name, Service: service, Text: "login that no contract asks for"}
		for _, c := range credentials {
			if !declared[name+" "+string(c.Mechanism)] {
				o.credentials = append(o.credentials, c)
				o.Evidence = append(o.Evidence, string(c.Mechanism))
			}
		}
		if len(o.credentials) == 0 {
			continue
		}
		slices.Sort(o.Evidence)
		if declared[name] {
			o.Text = "login by a mechanism that its contract does not use"
		}
		found = append(found, o)
	}
	return allowed(found)
}

// applies reports whether a principal may be the one that looks.
func (s search) applies(principal string) bool { return slices.Contains(s.all.Applier, principal) }

func (s search) bindings() []Orphan {
	declared := make(map[acl.Binding]bool, len(s.want.Grants))
	for _, g := range s.want.Grants {
		declared[g.Binding] = true
	}
	surplus := map[string][]acl.Binding{}
	for b := range s.have.Bindings {
		if !declared[b] {
			surplus[b.Principal] = append(surplus[b.Principal], b)
		}
	}
	var found []Orphan
	for principal, bindings := range surplus {
		name, isUser := strings.CutPrefix(principal, "User:")
		service, ours := s.scope.user(name)
		if !isUser || !ours || s.applies(principal) {
			continue
		}
		slices.SortFunc(bindings, acl.Binding.Compare)
		o := Orphan{
			Kind: KindACL, Name: principal, Service: service, bindings: bindings,
			Text: count(len(bindings), "ACL that no contract calls for", "ACLs that no contract calls for"),
		}
		for _, b := range bindings {
			o.Evidence = append(o.Evidence, b.String())
		}
		found = append(found, o)
	}
	return allowed(found)
}

func (s search) quotas() []Orphan {
	declared := map[string]bool{}
	for _, q := range s.want.Quotas {
		declared[q.User] = true
	}
	var found []Orphan
	for user, limits := range s.all.Quotas {
		service, ours := s.scope.user(user)
		if declared[user] || !ours || s.applies("User:"+user) {
			continue
		}
		found = append(found, Orphan{
			Kind: KindQuota, Name: user, Service: service, Text: "quota that no contract asks for",
			Evidence: []string{Quota{Limits: limits}.limits()}, limits: limits,
		})
	}
	return allowed(found)
}

// connectors are told by their names alone, which begin as all that is derived
// from a service does.
func (s search) connectors() []Orphan {
	declared := map[string]bool{}
	for _, c := range s.want.Connectors {
		declared[c.Name] = true
	}
	var found []Orphan
	for name := range s.all.Connectors {
		identity, _, dotted := strings.Cut(name, ".")
		service, ours := s.scope.identity(identity)
		if !declared[name] && ours && dotted {
			found = append(found, Orphan{Kind: KindConnector, Name: name, Service: service, Text: "connector that no contract has"})
		}
	}
	return allowed(found)
}

func (s search) groups() []Orphan {
	declared := map[string]bool{}
	for _, g := range s.want.Grants {
		if g.ResourceType == acl.Group {
			declared[g.Name] = true
		}
	}
	var found []Orphan
	for id, state := range s.all.Groups {
		service, ours := s.scope.group(id)
		if declared[id] || !ours || state == kafka.Dead {
			continue
		}
		found = append(found, Orphan{
			Kind: KindGroup, Name: id, Service: service, Text: "group that no contract reads in",
			Evidence: []string{"state " + cmp.Or(state, "unknown")},
		})
	}
	return allowed(found)
}

// allowed adds what would allow the deletion of each.
func allowed(orphans []Orphan) []Orphan {
	for i := range orphans {
		orphans[i].Allow = allowDelete(orphans[i].Kind, orphans[i].Name)
	}
	return orphans
}

// count says how many there are of something, in words that agree.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
