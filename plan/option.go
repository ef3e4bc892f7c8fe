package plan

// An Option is something that a cluster has beside its brokers.
type Option interface{ apply(*surroundings) }

type surroundings struct {
	connect  Connect
	services []string
}

type optionFunc func(*surroundings)

func (f optionFunc) apply(s *surroundings) { f(s) }

// WithConnect gives the Kafka Connect that runs the cluster's connectors. Nil
// is as good as none, and none is enough where no contract has a connector.
func WithConnect(c Connect) Option {
	return optionFunc(func(s *surroundings) { s.connect = c })
}

// OfServices limits what [Settle] waits for to what follows from the contracts
// of some services, as [Plan.Of] does.
func OfServices(names ...string) Option {
	return optionFunc(func(s *surroundings) { s.services = names })
}

func surrounding(options []Option) surroundings {
	var s surroundings
	for _, o := range options {
		o.apply(&s)
	}
	return s
}
