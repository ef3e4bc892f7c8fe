package dlq

import (
	"cmp"
	"slices"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// A Source is a dead-letter topic with what the contract says of it: where its
// letters came from, and where they go back to.
type Source struct {
	Service string `json:"service"`
	Entry   string `json:"entry"` // of the contract's consumes block
	Topic   string `json:"topic"` // the dead-letter topic

	// Retry is the topic that commands are written to; empty for an entry
	// that has none, whose letters can be read and not be sent back.
	Retry string `json:"retry,omitempty"`

	Origin string `json:"origin"` // the consumed topic, as the cluster names it
	Group  string `json:"group"`  // the group that gave up

	// Progress is the group whose offsets remember what was sent.
	Progress string `json:"progress"`

	// Order is what the entry keeps in order.
	Order contract.Order `json:"-"`

	// Partitioner places the keys of the consumed topic; empty if its owner is
	// not in the estate.
	Partitioner contract.Partitioner `json:"-"`

	// Window is how long the service remembers what it has handled; 0 if the
	// contract does not say.
	Window time.Duration `json:"-"`
}

// Sources returns the dead-letter topics of an environment that are on a
// cluster, sorted by name.
func Sources(r *contract.Resolved, cluster string) []Source {
	var all []Source
	for _, svc := range r.Services {
		for name, c := range svc.Consumes {
			if !c.DeadLetters() || r.ClusterName(c.Cluster) != cluster {
				continue
			}
			s := Source{
				Service:  svc.Name,
				Entry:    name,
				Topic:    svc.DeadLetterTopic(c),
				Origin:   r.PhysicalTopic(c.Cluster, c.Topic),
				Group:    svc.GroupID(c),
				Progress: svc.RedriveUser(),
				Order:    c.Order,
			}
			if c.Retries() {
				s.Retry = svc.RetryTopic(c)
			}
			if c.Dedup != nil {
				s.Window = c.Dedup.TTL
			}
			if t := owned(r, c.Topic); t != nil {
				s.Partitioner = cmp.Or(t.Partitioner, contract.Java)
			}
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Source) int { return cmp.Compare(a.Topic, b.Topic) })
	return all
}

// owned is a topic as its owner declares it; nil if nobody in the estate does.
func owned(r *contract.Resolved, topic string) *contract.Topic {
	for _, svc := range r.Services {
		if t := svc.Topics[topic]; t != nil {
			return t
		}
	}
	return nil
}
