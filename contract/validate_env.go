package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// environment judges the estate as it is in one environment.
func (v *validation) environment(env string) {
	if _, bound := v.estate.Clusters.Environments[env]; !bound {
		for _, s := range v.estate.Services {
			_, list := s.In(env)
			v.add(list...)
		}
		return
	}
	r, list := v.estate.In(env)
	v.add(list...)
	v.identities(r)
	topics := map[string]*Topic{}
	for _, s := range r.Services {
		maps.Copy(topics, s.Topics)
	}
	for _, s := range r.Services {
		v.sizes(r, s, topics)
		v.idle(r, s, topics)
		v.copartition(r, s, topics)
	}
}

// check judges what binding the aliases brings: that they are bound, lead to
// the same cluster as the owner's, and that the service can log in there.
func (r *Resolved) check() diag.List {
	var list diag.List
	home := map[string]string{}
	for _, s := range r.Services {
		for name, t := range s.Topics {
			home[name] = t.Cluster
		}
	}
	for name, t := range r.External.Topics {
		home[name] = t.Cluster
	}
	for _, s := range r.Services {
		f := &faults{service: s}
		f.connectors(r)
		f.outboxOn(r)
		used := map[string]string{}
		for _, u := range s.uses() {
			if _, known := used[u.alias]; !known {
				used[u.alias] = u.element
				f.alias(r, u)
			}
			if alias, owned := home[u.topic]; owned && r.ClusterName(alias) != r.ClusterName(u.alias) && r.ClusterName(u.alias) != "" {
				f.add(diag.EstateAnotherCluster, u.element, fmt.Sprintf("write cluster: %s", alias), "in environment %s %s is on cluster %s, and this is %s",
					r.Env, u.topic, r.ClusterName(alias), r.ClusterName(u.alias))
			}
			if name := r.PhysicalTopic(u.alias, u.topic); len(name) > maxName {
				f.add(diag.ContractNameLength, u.element, "", "%.60s… in environment %s has %d characters", name, r.Env, len(name))
			}
		}
		list = append(list, f.list...)
	}
	return list
}

// A use is one mention of a topic in a contract.
type use struct{ element, alias, topic string }

func (s *Service) uses() []use {
	var all []use
	for _, name := range slices.Sorted(maps.Keys(s.Topics)) {
		all = append(all, use{"topics/" + name, cmp.Or(s.Topics[name].Cluster, DefaultAlias), name})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Produces)) {
		all = append(all, use{"produces/" + name, cmp.Or(s.Produces[name].Cluster, DefaultAlias), name})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		all = append(all, use{"consumes/" + name, cmp.Or(s.Consumes[name].Cluster, DefaultAlias), s.Consumes[name].Topic})
	}
	return all
}

// alias judges that an alias is bound, and that its cluster has a listener for
// the way the service authenticates.
func (f *faults) alias(r *Resolved, u use) {
	known := slices.Sorted(maps.Keys(r.Bindings))
	if !slices.Contains(known, u.alias) {
		fix := fmt.Sprintf("bind it below environments/%s in %s", r.Env, ClustersFile)
		if near := nearest(u.alias, known); near != "" {
			fix = fmt.Sprintf("did you mean %s?", near)
		}
		f.add(diag.ClusterAlias, u.element, fix, "environment %s does not bind cluster alias %s", r.Env, u.alias)
		return
	}
	name := r.ClusterName(u.alias)
	cluster := r.Clusters.Clusters[name]
	if cluster == nil {
		return
	}
	listener, address := "scram", cluster.Bootstrap.SCRAM
	switch f.service.AuthOn(name) {
	case MTLS:
		listener, address = "mtls", cluster.Bootstrap.MTLS
	case Plain:
		listener, address = "plain", cluster.Bootstrap.Plain
	}
	if address == "" {
		f.add(diag.ClusterListener, "identity/auth", fmt.Sprintf("add bootstrap/%s to the cluster, or change auth", listener),
			"cluster %s of environment %s has no %s address for auth: %s", name, r.Env, listener, f.service.Auth)
	}
}

// identities judges that no two services share a group, a principal or
// transactional ids.
func (v *validation) identities(r *Resolved) {
	groups, principals := map[string]string{}, map[string]string{}
	for _, g := range r.External.Groups {
		groups[g] = "somebody external"
	}
	for _, p := range r.External.Principals {
		principals[p] = "somebody external"
	}
	for _, b := range r.Bindings {
		if c := r.Cluster(b.Cluster); c != nil {
			for _, node := range c.Nodes {
				principals["User:"+node.Name] = "node " + node.Name + " of cluster " + c.Name
			}
		}
	}
	prefixes := map[string][]*Service{}
	for _, s := range r.Services {
		f := &faults{service: s}
		if other, taken := principals[s.Principal()]; taken && other != s.Name {
			f.add(diag.EstatePrincipal, "adopt/principal", "", "%s is the principal of %s too, in environment %s", s.Principal(), other, r.Env)
		}
		principals[s.Principal()] = s.Name
		if s.DeadLetters() {
			f.redrive(r, principals, groups)
		}
		for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
			c := s.Consumes[name]
			if !c.Grouped() {
				continue
			}
			id := s.GroupID(c)
			if other, taken := groups[id]; taken && other != s.Name {
				f.add(diag.EstateGroupOverlap, "consumes/"+name, "", "group %s is the group of %s too, in environment %s", id, other, r.Env)
			}
			groups[id] = s.Name
		}
		if s.transactional() {
			prefixes[s.TransactionalPrefix()] = append(prefixes[s.TransactionalPrefix()], s)
		}
		v.add(f.list...)
	}
	v.transactionalIDs(r, prefixes)
}

// redrive judges that nobody else has the name that the service's dead letters
// are worked on with, neither as a principal nor as a group.
func (f *faults) redrive(r *Resolved, principals, groups map[string]string) {
	user, principal := f.service.RedriveUser(), f.service.RedrivePrincipal()
	own := "the redrive of " + f.service.Name
	if other, taken := principals[principal]; taken && other != own {
		f.add(diag.EstatePrincipal, "metadata/name", "let it keep another principal", "%s, who redrives the dead letters of %s, is the principal of %s too, in environment %s",
			principal, f.service.Name, other, r.Env)
	}
	if other, taken := groups[user]; taken && other != own {
		f.add(diag.EstateGroupOverlap, "metadata/name", "", "group %s, in which the dead letters of %s are read, is the group of %s too, in environment %s",
			user, f.service.Name, other, r.Env)
	}
	principals[principal], groups[user] = own, own
}

func (s *Service) transactional() bool {
	for _, p := range s.Produces {
		if p.Via == Transaction {
			return true
		}
	}
	return s.Adopt != nil && s.Adopt.TransactionalPrefix != ""
}

// transactionalIDs compares neighbours in order: whatever begins with a
// prefix comes directly after it.
func (v *validation) transactionalIDs(r *Resolved, by map[string][]*Service) {
	sorted := slices.Sorted(maps.Keys(by))
	for i, prefix := range sorted {
		owner := by[prefix][0]
		for _, s := range by[prefix][1:] {
			v.transactionalOverlap(r, s, owner)
		}
		for _, longer := range sorted[i+1:] {
			if !strings.HasPrefix(longer, prefix) {
				break
			}
			for _, s := range by[longer] {
				v.transactionalOverlap(r, s, owner)
			}
		}
	}
}

func (v *validation) transactionalOverlap(r *Resolved, s, owner *Service) {
	if s.Name == owner.Name {
		return // told as two contracts of one name
	}
	f := &faults{service: s}
	f.add(diag.EstateTransactionalIDs, "adopt/transactionalPrefix", "", "transactional ids of %s begin with %s, as those of %s do (%s), in environment %s",
		s.Name, s.TransactionalPrefix(), owner.Name, owner.TransactionalPrefix(), r.Env)
	v.add(f.list...)
}

// sizes judges what a service writes and keeps against the topic's settings.
func (v *validation) sizes(r *Resolved, s *Service, topics map[string]*Topic) {
	f := &faults{service: s}
	for _, name := range slices.Sorted(maps.Keys(s.Produces)) {
		if t := topics[name]; t != nil && t.MaxMessage > 0 && s.Produces[name].Max > t.MaxMessage {
			f.add(diag.EstateMessageSize, "produces/"+name+"/max", "", "values up to %v, and the topic takes %v in environment %s", s.Produces[name].Max, t.MaxMessage, r.Env)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		c := s.Consumes[name]
		if t := topics[c.Topic]; c.As == Table && t != nil && !t.Compact && t.Retention != Forever {
			f.warn(diag.EstateTableRetention, "consumes/"+name+"/as", "", "%s is not compacted, so its records disappear from the table", c.Topic)
		}
	}
	v.add(f.list...)
}

// idle judges that every instance gets a partition. Three partitions and two
// instances are fine (2+1); only instances beyond the partitions are idle. A
// service that also serves requests, keeps a table or reads as a share group
// has work for every instance.
func (v *validation) idle(r *Resolved, s *Service, topics map[string]*Topic) {
	w := s.Workload
	if w == nil || w.HTTP != 0 || w.GRPC != 0 {
		return
	}
	for _, c := range s.Consumes {
		if c.As != Stream || v.partitions(r, c.Topic, topics) == 0 {
			return
		}
	}
	most := r.Usable(s, func(topic string) int { return v.partitions(r, topic, topics) })
	f := &faults{service: s}
	switch {
	case most == 0:
	case w.Scale.Min > most:
		f.add(diag.EstateIdleInstances, "workload/scale/min", fmt.Sprintf("write min: %d or less, or add partitions", most),
			"at least %d instances for %d partitions in environment %s", w.Scale.Min, most, r.Env)
	case w.Scale.Max > most:
		f.warn(diag.EstateIdleInstances, "workload/scale/max", "write max: auto, or add partitions",
			"up to %d instances for %d partitions in environment %s", w.Scale.Max, most, r.Env)
	}
	v.add(f.list...)
}

// partitions is the number of a topic's partitions in an environment, or 0
// where it is not known.
func (v *validation) partitions(r *Resolved, topic string, topics map[string]*Topic) int {
	if x := r.External.Topics[topic]; x != nil {
		return x.Partitions
	}
	t := topics[topic]
	if t == nil {
		return 0
	}
	if cluster := r.Cluster(r.ClusterName(t.Cluster)); t.Partitions == 0 && cluster != nil {
		return cluster.Defaults.Partitions
	}
	return t.Partitions
}

// copartition judges that topics with the same key, read in order of keys by
// one group, send a key to the same instance.
func (v *validation) copartition(r *Resolved, s *Service, topics map[string]*Topic) {
	type lane struct{ group, field string }
	first := map[lane]*Consume{}
	f := &faults{service: s}
	for _, name := range slices.Sorted(maps.Keys(s.Consumes)) {
		c := s.Consumes[name]
		t := topics[c.Topic]
		if t == nil || c.As != Stream || c.Order != ByKey || t.Key.Field == "" {
			continue
		}
		other := first[lane{c.Group, t.Key.Field}]
		if other == nil {
			first[lane{c.Group, t.Key.Field}] = c
			continue
		}
		theirs := topics[other.Topic]
		if m, n := v.partitions(r, c.Topic, topics), v.partitions(r, other.Topic, topics); m != n || t.Partitioner != theirs.Partitioner {
			f.warn(diag.EstateCopartition, "consumes/"+name, "", "%s (%d partitions, %s) and %s (%d partitions, %s) are both keyed by %s, in environment %s",
				c.Topic, m, t.Partitioner, other.Topic, n, theirs.Partitioner, t.Key.Field, r.Env)
		}
	}
	v.add(f.list...)
}
