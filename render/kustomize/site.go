package kustomize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// A site is a service, as its contract is written or in an environment.
type site struct {
	svc *contract.Service
	env *environment // nil for the contract as it is written
}

// An environment is what an overlay knows beside the contract.
type environment struct {
	*contract.Resolved
	platform *contract.Platform
	scale    manifest.Scale
	named    string // the base's name for the image
}

// An object is one of Kubernetes', with its file.
type object struct {
	file string
	why  string // the head of the file
	body manifest.Map
}

func (o object) kind() string { return o.body.Get("kind").(string) }

// objects are sorted by their files.
type objects []object

func (all objects) names() []string {
	var names []string
	for _, o := range all {
		names = append(names, o.file)
	}
	return names
}

// find returns the object of a kind, of which a service has one at most.
func (all objects) find(kind string) *object {
	i := slices.IndexFunc(all, func(o object) bool { return o.kind() == kind })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// objects are what the service needs. Without a workload that is what it is called.
func (s *site) objects() objects {
	all := objects{s.account()}
	if s.svc.Workload != nil {
		all = append(all, s.workload(), s.budget())
		if s.ported() {
			all = append(all, s.service())
		}
		if s.env != nil {
			all = append(all, s.network())
		}
	}
	slices.SortFunc(all, func(a, b object) int { return strings.Compare(a.file, b.file) })
	return all
}

func (s *site) head(o object) string {
	owner := fmt.Sprintf("%s, of %s. Rendered from its contract.", s.svc.Name, s.svc.Owner)
	if o.why == "" {
		return owner
	}
	return owner + "\n" + o.why
}

// at names the place in the contract.
func (s *site) at(element string) string { return manifest.At(s.svc, element) }

// platformAt names the place in the platform's part of clusters.yaml.
func (s *site) platformAt(element string) string {
	return manifest.AtClusters(s.env.Clusters, "platform/"+s.env.Env+"/"+element)
}

// aliases are the logical clusters that the service uses.
func (s *site) aliases() []string {
	all := []string{contract.DefaultAlias}
	used := map[string]bool{}
	for _, t := range s.svc.Topics {
		used[t.Cluster] = true
	}
	for _, p := range s.svc.Produces {
		used[p.Cluster] = true
	}
	for _, c := range s.svc.Consumes {
		used[c.Cluster] = true
	}
	if len(used) == 0 {
		return all
	}
	all = all[:0]
	for alias := range used {
		if alias == "" {
			alias = contract.DefaultAlias
		}
		all = append(all, alias)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// cluster is the Kafka that the service uses.
func (s *site) cluster() string { return s.env.ClusterName(s.aliases()[0]) }

// health is the port of probes and metrics, by its name and number.
func (s *site) health() (name string, port int) {
	if w := s.svc.Workload; w.HTTP != 0 {
		return "http", w.HTTP
	}
	return "health", healthPort
}

// healthPort is where a service without HTTP answers probes.
const healthPort = 8081

// stateful reports whether instances have names, or disks, that outlive them.
func (s *site) stateful() bool { return manifest.Controller(s.svc) == "StatefulSet" }

// ported reports whether there is something to connect to, or pods to name.
func (s *site) ported() bool {
	w := s.svc.Workload
	return w.HTTP != 0 || w.GRPC != 0 || s.stateful()
}
