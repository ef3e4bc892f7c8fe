package kustomize

import (
	"maps"
	"time"

	"github.com/slipway-go/slipway/contract"
)

// drain is how long the service may take to stop, and where that is from: its
// configuration, or the default of package serve.
func (s *site) drain() (time.Duration, string) {
	const byDefault = 30 * time.Second
	if s.env == nil {
		return byDefault, "shutdown.timeout, by default"
	}
	if found := s.configured("shutdown", "timeout"); found != nil {
		if budget, err := contract.ParseDuration(found.Text); err == nil {
			return budget, found.At.String() + " shutdown.timeout"
		}
	}
	return byDefault, "shutdown.timeout, by default"
}

// configured is the value of a key in the configuration files of the environment, or
// nil. What is wrong with a file is told where configurations are judged.
func (s *site) configured(path ...string) *contract.Tree {
	files := maps.Collect(s.svc.ConfigFiles())
	for _, name := range []string{s.env.Env + ".yaml", commonFile} {
		at, _ := contract.ParseTree("config/"+name, []byte(files[name]))
		for _, key := range path {
			at = below(at, key)
		}
		if at != nil {
			return at
		}
	}
	return nil
}

// below is the value of a key in a mapping, or nil.
func below(t *contract.Tree, key string) *contract.Tree {
	if t == nil {
		return nil
	}
	for _, child := range t.Children {
		if child.Key == key {
			return child
		}
	}
	return nil
}
