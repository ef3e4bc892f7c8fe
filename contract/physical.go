package contract

import "cmp"

// builtIn are the clusters that need no entry in clusters.yaml, with what
// topics get on them. Both have three brokers, so that what holds there holds
// in production.
var builtIn = map[string]Defaults{
	Embedded: {Replicas: 3, MinInsyncReplicas: 2, Partitions: 3},
	Local:    {Replicas: 3, MinInsyncReplicas: 2, Partitions: 3},
}

// PhysicalTopic is the name on the cluster of a topic that a contract names:
// the alias's topicPrefix before it, whoever owns the topic, so that a service
// can tell by itself (TOPIC_PREFIX). The topics that Slipway derives (retry,
// dead letters) are not named in contracts and have no prefix: their names
// carry the environment already.
func (r *Resolved) PhysicalTopic(alias, topic string) string {
	return r.Bindings[cmp.Or(alias, DefaultAlias)].TopicPrefix + topic
}

// ClusterName is the cluster that an alias means in this environment.
func (r *Resolved) ClusterName(alias string) string {
	return r.Bindings[cmp.Or(alias, DefaultAlias)].Cluster
}

// Cluster is the entry of a cluster in clusters.yaml. The embedded and the
// local cluster have one without being written there. It is nil for a name
// that nobody declared; callers must not change what it points to.
func (r *Resolved) Cluster(name string) *Cluster {
	if r.Clusters != nil && r.Clusters.Clusters[name] != nil {
		return r.Clusters.Clusters[name]
	}
	if d, ok := builtIn[name]; ok {
		return &Cluster{Name: name, Defaults: d}
	}
	return nil
}

// AuthOn is how a service proves who it is on a cluster. It is what the
// contract says, except on the embedded cluster, which takes no name from a
// certificate and knows PLAIN users only from its start: there it is SCRAM.
func (s *Service) AuthOn(cluster string) Auth {
	if cluster == Embedded && s.Auth != SCRAMSHA256 {
		return SCRAMSHA512
	}
	return cmp.Or(s.Auth, MTLS)
}

// Grouped reports whether the entry is read as a member of a consumer group.
// A table is read whole by every instance and commits nothing.
func (c *Consume) Grouped() bool { return c.As != Table }

// DeadLetters reports whether the entry has a dead-letter topic: it is read
// in a group, and that is where its contract sends what cannot be handled, or
// the evidence of what is parked.
func (c *Consume) DeadLetters() bool {
	then := cmp.Or(c.Retry.Then, DeadLetter)
	return c.Grouped() && (then == DeadLetter || then == Park)
}

// Retries reports whether the entry has a retry topic: its records may wait
// for another attempt, or for an operator. A share group has none: nobody owns
// its partitions, so nobody could keep the order of what waits. Nor has one that
// is handled in transactions: a record ends in the transaction it began in.
func (c *Consume) Retries() bool {
	return c.Grouped() && c.As != Share && !c.Exact && (c.Retry.waits() || c.DeadLetters())
}
