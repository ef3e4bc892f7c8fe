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
func (o object) name() string { return o.body.Get("metadata", "name").(string) }

// objects are sorted by their files.
type objects []object

func (all objects) names() []string {
	var names []string
	for _, o := range all {
		names = append(names, o.file)
	}
	return names
}

// find returns the object of the same kind and name, or nil.
func (all objects) find(same object) *object {
	i := slices.IndexFunc(all, func(o object) bool { return o.kind() == same.kind() && o.name() == same.name() })
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
		if s.serves() {
			all = append(all, s.service())
		}
		if s.stateful() {
			all = append(all, s.instances())
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

// connections are the Kafka clusters that the service uses, by its aliases.
func (s *site) connections() []manifest.Connection { return manifest.Connections(s.resolved(), s.svc) }

// logins are those of them that lead to different clusters.
func (s *site) logins() []manifest.Connection { return manifest.Logins(s.resolved(), s.svc) }

// resolved is the estate in the environment, or nil.
func (s *site) resolved() *contract.Resolved {
	if s.env == nil {
		return nil
	}
	return s.env.Resolved
}

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

// serves reports whether there is something to connect to.
func (s *site) serves() bool { return s.svc.Workload.HTTP != 0 || s.svc.Workload.GRPC != 0 }
