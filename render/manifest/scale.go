package manifest

import (
	"slices"

	"github.com/slipway-go/slipway/contract"
)

// A Scale is how many instances of a service there may be in an environment.
type Scale struct {
	Min int // of the contract
	Max int // of the contract, but never beyond Usable; Min where nothing says how many more could work

	// Usable is how many instances get a partition; what is beyond has nothing to
	// do. 0 means that partitions set no bound: the service reads no streams, or has
	// other work for every instance.
	Usable int

	// Unknown are the entries, by name, of topics whose number of partitions nobody
	// says.
	Unknown []string
}

// Moves reports whether an autoscaler has anything to decide. It owns the number of
// replicas then.
func (s Scale) Moves() bool { return s.Max > s.Min }

// Scales are those of an environment's services, by name. A service without a
// workload runs elsewhere and has none.
func Scales(r *contract.Resolved) map[string]Scale {
	topics := make(map[string]int)
	for _, s := range r.Services {
		for name, t := range s.Topics {
			topics[name] = t.Partitions
			if cluster := r.Cluster(r.ClusterName(t.Cluster)); t.Partitions == 0 && cluster != nil {
				topics[name] = cluster.Defaults.Partitions
			}
		}
	}
	for name, t := range r.External.Topics {
		topics[name] = t.Partitions
	}
	all := make(map[string]Scale, len(r.Services))
	for _, s := range r.Services {
		if s.Workload != nil {
			all[s.Name] = scale(r, s, topics)
		}
	}
	return all
}

func scale(r *contract.Resolved, svc *contract.Service, topics map[string]int) Scale {
	w := svc.Workload
	s := Scale{Min: w.Scale.Min, Max: w.Scale.Max}
	partitions, bounded := 0, w.HTTP == 0 && w.GRPC == 0
	for name, c := range svc.Consumes {
		bounded = bounded && c.As == contract.Stream
		if c.Grouped() && topics[c.Topic] == 0 {
			s.Unknown = append(s.Unknown, name)
		}
	}
	slices.Sort(s.Unknown)
	if len(s.Unknown) == 0 {
		partitions = r.Usable(svc, func(topic string) int { return topics[topic] })
	}
	if bounded {
		s.Usable = partitions
	}
	switch {
	case s.Max == 0 && s.Usable > 0:
		s.Max = s.Usable
	case s.Max == 0:
		s.Max = max(s.Min, partitions)
	case s.Usable > 0:
		s.Max = min(s.Max, s.Usable)
	}
	return s
}
