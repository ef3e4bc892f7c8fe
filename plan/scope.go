package plan

import (
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Scope is what an estate may call its own on a cluster beside what it
// desires there. Kafka has no marks on topics and ACLs, so it goes by names:
//
//   - ACLs, users and quotas by principal: one of the estate's services, or one
//     that is called as services of the environment are;
//   - groups likewise;
//   - topics only where their name is derived (retry, dead letters), or where
//     the environment has a topicPrefix on the cluster: everything under it.
//
// What external.yaml lists is never the estate's.
type Scope struct {
	Env        string
	Principals map[string]string // of the estate's services: principal → service
	Prefixes   []string          // of topics, for this environment on this cluster

	External Names
}

// Names are things of other owners, by kind, as the cluster knows them.
type Names struct {
	Topics     []string
	Groups     []string
	Principals []string
}

// scope is what is the estate's on one cluster.
func scope(r *contract.Resolved, cluster string) *Scope {
	s := &Scope{Env: r.Env, Principals: map[string]string{}}
	for _, svc := range r.Services {
		s.Principals[svc.Principal()], s.Principals[svc.RedrivePrincipal()] = svc.Name, svc.Name
	}
	for _, b := range r.Bindings {
		if b.Cluster == cluster && b.TopicPrefix != "" {
			s.Prefixes = append(s.Prefixes, b.TopicPrefix)
		}
	}
	if r.External != nil {
		s.External.Groups, s.External.Principals = r.External.Groups, r.External.Principals
		for name, t := range r.External.Topics {
			if r.ClusterName(t.Cluster) == cluster {
				s.External.Topics = append(s.External.Topics, r.PhysicalTopic(t.Cluster, name))
			}
		}
	}
	return s
}

// user returns the service that a user is or was of, if the user is one of the
// estate's.
func (s *Scope) user(name string) (service string, ours bool) {
	principal := "User:" + name
	if slices.Contains(s.External.Principals, principal) {
		return "", false
	}
	if service, ours = s.Principals[principal]; ours {
		return service, true
	}
	return s.identity(strings.TrimSuffix(name, "-redrive"))
}

// identity returns the service that a derived name begins with.
func (s *Scope) identity(name string) (service string, ours bool) {
	service, ours = strings.CutPrefix(name, "svc-")
	if !ours {
		return "", false
	}
	service, ours = strings.CutSuffix(service, "-"+s.Env)
	return service, ours && service != ""
}

// group is [Scope.user] for consumer groups.
func (s *Scope) group(id string) (service string, ours bool) {
	if slices.Contains(s.External.Groups, id) {
		return "", false
	}
	name, _, _ := strings.Cut(id, ".")
	return s.identity(strings.TrimSuffix(name, "-redrive"))
}

// topic is [Scope.user] for topics. One under a prefix that is no derived one
// has no service.
func (s *Scope) topic(name string) (service string, ours bool) {
	if slices.Contains(s.External.Topics, name) || strings.HasPrefix(name, "__") {
		return "", false
	}
	if first, rest, found := strings.Cut(name, "."); found && (strings.HasSuffix(rest, ".retry") || strings.HasSuffix(rest, ".dlq")) {
		if service, ours := s.identity(first); ours {
			return service, true
		}
	}
	return "", slices.ContainsFunc(s.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
