package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
)

// An Estate is all contracts under one directory, with the clusters and the
// things others own.
type Estate struct {
	Services []*Service // sorted by name
	Clusters *Clusters  // never nil; without a clusters.yaml: dev on embedded
	External *External  // never nil

	// partial tells that a file could not be read, so that what is absent may
	// be in there.
	partial bool
}

// A Resolved is an estate in one environment: overlays laid over, aliases
// bound. It is what plan, acl and render work from.
type Resolved struct {
	Env      string
	Services []*Service
	External *External
	Clusters *Clusters
	Bindings map[string]Binding // alias → cluster, for Env
}

// In resolves one environment of the estate, which clusters.yaml must list.
// The list says what of the environment cannot be: overlays that break a
// contract, aliases that are not bound. [Estate.Validate] says the rest.
func (e *Estate) In(env string) (*Resolved, diag.List) {
	r := &Resolved{Env: env, External: e.External, Clusters: e.Clusters, Bindings: e.Clusters.Environments[env]}
	var list diag.List
	if _, found := e.Clusters.Environments[env]; !found {
		known := slices.Sorted(maps.Keys(e.Clusters.Environments))
		at := e.Clusters.Position("environments")
		message := fmt.Sprintf("environment %s is not in %s", env, ClustersFile)
		fix := fmt.Sprintf("add it to %s; known: %v", ClustersFile, known)
		if at.File == "" {
			message = fmt.Sprintf("environment %s is not known: there is no %s", env, ClustersFile)
			fix = fmt.Sprintf("name the directory that %s is in, or write one; without it there is %s alone", ClustersFile, strings.Join(known, ", "))
		}
		if near := nearest(env, known); near != "" {
			fix = fmt.Sprintf("did you mean %s?", near)
		}
		list.Add(diag.New(diag.ClusterEnvironment, "%s", message).At(at).WithFix("%s", fix))
		return r, list
	}
	for _, s := range e.Services {
		in, faults := s.In(env)
		list = append(list, faults...)
		r.Services = append(r.Services, in)
	}
	list = append(list, r.check()...)
	list.Sort()
	return r, list
}

// Service returns the service of a name, or nil.
func (r *Resolved) Service(name string) *Service {
	i := slices.IndexFunc(r.Services, func(s *Service) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return r.Services[i]
}
