package contract

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Identity is the name that everything derived from the service begins with:
// svc-<service>-<environment>. It is also the SCRAM user and the certificate's
// common name, unless the contract adopts another principal.
func (s *Service) Identity() string { return "svc-" + s.Name + "-" + s.Env }

// User is the name the service authenticates as, without Kafka's "User:".
func (s *Service) User() string {
	if s.Adopt != nil {
		return cmp.Or(s.Adopt.Principal, s.Identity())
	}
	return s.Identity()
}

// Principal is the service as ACLs name it.
func (s *Service) Principal() string { return "User:" + s.User() }

// GroupID is the consumer group of an entry: the service's identity, with the
// entry's suffix if it has one (C02.3).
func (s *Service) GroupID(c *Consume) string {
	base := s.Identity()
	if s.Adopt != nil {
		base = cmp.Or(s.Adopt.Group, base)
	}
	return join(base, c.Group)
}

// ClientID is what the service calls itself in requests, followed by its
// instance.
func (s *Service) ClientID(instance string) string {
	base := s.Identity()
	if s.Adopt != nil {
		base = cmp.Or(s.Adopt.ClientID, base)
	}
	return join(base, instance)
}

// TransactionalPrefix begins every transactional id of the service.
func (s *Service) TransactionalPrefix() string {
	if s.Adopt != nil && s.Adopt.TransactionalPrefix != "" {
		return s.Adopt.TransactionalPrefix
	}
	return s.Identity() + "."
}

// DeadLetterTopic is where records of an entry go after their last attempt.
func (s *Service) DeadLetterTopic(c *Consume) string {
	return join(s.Identity(), c.Group, c.Topic, "dlq")
}

// RetryTopic is where records of an entry wait for another attempt.
func (s *Service) RetryTopic(c *Consume) string {
	return join(s.Identity(), c.Group, c.Topic, "retry")
}

// ProbeTopic is where the writing probe of a service goes that has asked for
// one. Nobody reads it.
func (s *Service) ProbeTopic() string { return join(s.Identity(), "probe") }

// ProbesByWriting reports whether the service has a probe topic.
func (s *Service) ProbesByWriting() bool { return s.Workload != nil && s.Workload.Probe == ProbeWrite }

// RedriveUser is the name that dead letters of the service are worked on with,
// by an operator. It is not the service: a service cannot read what it has
// given up, and an operator cannot read what the service reads. It is also the
// consumer group in which that reading is noted.
func (s *Service) RedriveUser() string { return s.Identity() + "-" + redrive }

// RedrivePrincipal is the redrive user as ACLs name it.
func (s *Service) RedrivePrincipal() string { return "User:" + s.RedriveUser() }

// DeadLetters reports whether any entry has a dead-letter topic, and the
// service therefore a redrive user.
func (s *Service) DeadLetters() bool {
	for _, c := range s.Consumes {
		if c.DeadLetters() {
			return true
		}
	}
	return false
}

// redrive ends the redrive user's name. No environment is called that: the
// identity of another service there would be the same.
const redrive = "redrive"

// Subject is the registry subject of a topic's values.
func Subject(topic string) string { return topic + "-value" }

func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ".")
}

// Clusters are the aliases of the clusters that the running service reaches, in
// order: those that its entries name, and for its probe topic, or a service
// without entries, the default one.
func (s *Service) Clusters() []string { return s.aliases(nil) }

// Aliases are those of every cluster where something is to be provided for the
// service, in order: as [Service.Clusters], and those of the topics that it owns.
func (s *Service) Aliases() []string { return s.aliases(s.Topics) }

func (s *Service) aliases(owned map[string]*Topic) []string {
	seen := make(map[string]bool)
	for _, t := range owned {
		seen[cmp.Or(t.Cluster, DefaultAlias)] = true
	}
	for _, p := range s.Produces {
		seen[cmp.Or(p.Cluster, DefaultAlias)] = true
	}
	for _, c := range s.Consumes {
		seen[cmp.Or(c.Cluster, DefaultAlias)] = true
	}
	if len(seen) == 0 || s.ProbesByWriting() {
		seen[DefaultAlias] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
