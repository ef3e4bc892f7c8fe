package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// An Explanation says why one thing exists.
type Explanation struct {
	Kind    string `json:"kind"` // topic | group | user | acl | quota | subject | connector | transactional-id
	Name    string `json:"name"`
	Cluster string `json:"cluster"`
	Detail  string `json:"detail,omitempty"` // what it is, in a few words

	Reasons []Reason `json:"reasons"` // why it exists

	// Access is who may do what to it, or, of a user, what the user may do.
	Access []acl.Grant `json:"access,omitempty"`
}

// Explain returns why a name exists in an environment: a topic by its name on
// the cluster or in a contract, a group, a user or principal, a subject, a
// connector, the prefix of transactional ids, or an ACL as plans print it. One name can be
// several things. A name that nothing leads to is an error that tells the ones
// it resembles.
func Explain(r *contract.Resolved, name string) ([]Explanation, error) {
	grants := acl.Derive(r)
	all, err := explainAll(r, grants)
	if err != nil {
		return nil, err
	}
	var found []Explanation
	for _, e := range all {
		if e.names[name] {
			e.Access = access(e.Explanation, grants)
			found = append(found, e.Explanation)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	d := diag.New(diag.PlanUnknownName, "nothing in environment %s is called %s", r.Env, name)
	if near := nearest(name, all); len(near) > 0 {
		d = d.WithFix("did you mean %s?", strings.Join(near, ", "))
	}
	return nil, d
}

// named is an explanation with the names it answers to.
type named struct {
	Explanation
	names map[string]bool
}

func explainAll(r *contract.Resolved, grants []acl.Grant) ([]named, error) {
	var all []named
	configured := map[place]Group{}
	for _, cluster := range Clusters(r) {
		want, err := Derive(r, cluster)
		if err != nil {
			return nil, err
		}
		all = append(all, explainDesired(r, want)...)
		for _, g := range want.Groups {
			configured[place{cluster, g.Name}] = g
		}
	}
	all = append(all, explainExternal(r)...)
	all = append(all, explainGrants(grants, configured)...)
	slices.SortStableFunc(all, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

func newNamed(kind, cluster, name, detail string, reasons []Reason, others ...string) named {
	n := named{Explanation{Kind: kind, Cluster: cluster, Name: name, Detail: detail, Reasons: reasons}, map[string]bool{name: true}}
	for _, o := range others {
		n.names[o] = true
	}
	return n
}

func explainDesired(r *contract.Resolved, want *Desired) []named {
	logical := map[string]string{} // physical → as contracts call it
	for _, svc := range r.Services {
		for name, t := range svc.Topics {
			logical[r.PhysicalTopic(t.Cluster, name)] = name
		}
	}
	var all []named
	for _, t := range want.Topics {
		detail := "topic of " + t.Service
		switch t.Role {
		case Retries:
			detail = "retry topic of " + t.Service + ": records of " + t.Source + " wait there, each key in order, and are taken out once they are through"
		case DeadLetters:
			detail = "dead letters of " + t.Service
		}
		all = append(all, newNamed("topic", want.Cluster, t.Name, detail, t.Reasons, cmp.Or(logical[t.Name], t.Name)))
	}
	for _, s := range want.Subjects {
		detail := string(s.Format) + " schema, " + string(s.Level) + " compatible"
		all = append(all, newNamed("subject", want.Cluster, s.Name, detail, s.Reasons))
	}
	for _, u := range want.Users {
		all = append(all, newNamed("user", want.Cluster, u.Name, "logs in with "+string(u.Mechanism), u.Reasons, "User:"+u.Name))
	}
	for _, q := range want.Quotas {
		all = append(all, newNamed("quota", want.Cluster, q.User, "what "+q.User+" may take of each broker: "+q.limits(), q.Reasons, "User:"+q.User))
	}
	for _, c := range want.Connectors {
		all = append(all, newNamed("connector", want.Cluster, c.Name, c.Config[contract.ConnectorClass]+", run by Kafka Connect with its own rights", c.Reasons))
	}
	return append(all, explainCertificates(r, want)...)
}

// explainCertificates covers the users that no plan creates: their name comes
// with their certificate, or from the broker's own configuration.
func explainCertificates(r *contract.Resolved, want *Desired) []named {
	planned := map[string]bool{}
	for _, u := range want.Users {
		planned[u.Name] = true
	}
	var all []named
	for _, svc := range r.Services {
		here := slices.ContainsFunc(svc.Aliases(), func(alias string) bool { return r.ClusterName(alias) == want.Cluster })
		if planned[svc.User()] || !here {
			continue
		}
		auth := svc.AuthOn(want.Cluster)
		reason := loginReason(svc, auth)
		all = append(all, newNamed("user", want.Cluster, svc.User(), reason.Text, []Reason{reason}, svc.Principal()))
		if redrives(r, svc, want.Cluster) {
			all = append(all, newNamed("user", want.Cluster, svc.RedriveUser(), reason.Text, []Reason{redriveReason(svc, auth)}, svc.RedrivePrincipal()))
		}
	}
	return all
}

func explainExternal(r *contract.Resolved) []named {
	if r.External == nil {
		return nil
	}
	var all []named
	for _, name := range slices.Sorted(maps.Keys(r.External.Topics)) {
		reason := Reason{Service: "external.yaml", Text: "says that " + name + " is owned elsewhere", Position: r.External.Position("topics/" + name)}
		alias := r.External.Topics[name].Cluster
		all = append(all, newNamed("topic", r.ClusterName(alias), r.PhysicalTopic(alias, name), "topic of another owner, never planned", []Reason{reason}, name))
	}
	return all
}

// place is where a group is.
type place struct{ cluster, group string }

// explainGrants yields an explanation for each binding, and for the groups and
// transactional ids, which exist nowhere but in bindings; groups may have
// settings beside.
func explainGrants(grants []acl.Grant, configured map[place]Group) []named {
	var all []named
	for _, g := range grants {
		all = append(all, newNamed("acl", g.Cluster, g.Binding.String(), "", g.Reasons))
		switch g.ResourceType {
		case acl.Group:
			detail, reasons := "consumer group of "+g.Principal, g.Reasons
			if own, found := configured[place{g.Cluster, g.Name}]; found {
				detail += ", with " + own.settings() + " on the brokers"
				reasons = slices.Concat(reasons, own.Reasons)
			}
			all = append(all, newNamed("group", g.Cluster, g.Name, detail, reasons))
		case acl.TransactionalID:
			all = append(all, newNamed("transactional-id", g.Cluster, g.Name, "prefix of the transactional ids of "+g.Principal, g.Reasons, g.Name+"*"))
		}
	}
	return all
}

func access(e Explanation, grants []acl.Grant) []acl.Grant {
	types := map[string]acl.ResourceType{"topic": acl.Topic, "group": acl.Group, "transactional-id": acl.TransactionalID}
	var some []acl.Grant
	for _, g := range grants {
		own := e.Kind == "user" && g.Principal == "User:"+e.Name
		on := g.ResourceType == types[e.Kind] && g.Name == e.Name
		if g.Cluster == e.Cluster && (own || on) {
			some = append(some, g)
		}
	}
	return some
}
