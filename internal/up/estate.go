package up

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// An estate is what a run works from: one environment of the contracts, with
// every alias bound to the one cluster that the run starts.
type estate struct {
	*contract.Resolved
	dir     string // absolute, links resolved: one estate has one name
	cluster string // contract.Embedded or contract.Local
}

// loadEstate reads the contracts and judges them. The list holds warnings; the
// error, if any, holds everything.
func loadEstate(cfg Config) (*estate, diag.List, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, nil, diag.New(diag.UpDirectory, "%s cannot be opened", cfg.Dir).WithEvidence("%v", err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, nil, diag.New(diag.UpDirectory, "%s is not a directory", cfg.Dir)
	}
	all, faults := contract.Load(os.DirFS(dir), ".")
	for i, d := range faults {
		if d.Code == diag.EstateEmpty { // which does not know what the directory is called
			faults[i].Message = fmt.Sprintf("there is no %s in %s or below", contract.ServiceFile, cfg.Dir)
		}
	}
	faults = append(faults, all.Validate()...)
	resolved, more := all.In(cfg.Env)
	faults = distinct(append(faults, more...))
	if err := faults.Err(); err != nil {
		return nil, nil, faults
	}
	e := &estate{Resolved: resolved, dir: dir}
	return e, faults, e.choose(cfg.Broker)
}

// distinct drops what was found twice: an environment's faults are found when
// the whole estate is judged and when it is resolved.
func distinct(all diag.List) diag.List {
	all.Sort()
	return slices.CompactFunc(all, func(a, b diag.Diagnostic) bool { return a.Error() == b.Error() })
}

// choose decides which broker to start, and leads every alias to it. A run
// never touches a cluster that others use.
func (e *estate) choose(broker string) error {
	names := map[string]string{EmbeddedBroker: contract.Embedded, KafkaBroker: contract.Local}
	e.cluster = names[broker]
	bound := map[string]contract.Binding{}
	used := plan.Clusters(e.Resolved)
	for _, alias := range slices.Sorted(maps.Keys(e.Bindings)) {
		b := e.Bindings[alias]
		if slices.Contains(used, b.Cluster) && b.Cluster != contract.Embedded && b.Cluster != contract.Local {
			return e.foreign(alias, b.Cluster)
		}
		bound[alias] = b
	}
	if e.cluster == "" && bound[contract.DefaultAlias].Cluster == contract.Local {
		e.cluster = contract.Local
	}
	e.cluster = cmp.Or(e.cluster, contract.Embedded)
	// The estate's topics have different names, also those of different clusters.
	for alias, b := range bound {
		bound[alias] = contract.Binding{Cluster: e.cluster, TopicPrefix: b.TopicPrefix}
	}
	e.Bindings = bound
	return nil
}

func (e *estate) foreign(alias, cluster string) error {
	var own []string
	for env, bindings := range e.Clusters.Environments {
		if cluster := bindings[contract.DefaultAlias].Cluster; cluster == contract.Embedded || cluster == contract.Local {
			own = append(own, env)
		}
	}
	slices.Sort(own)
	d := diag.New(diag.UpForeign, "environment %s binds %s to %s, a cluster that others use", e.Env, alias, cluster).
		At(e.Clusters.Position("environments/" + e.Env + "/" + alias))
	if len(own) > 0 {
		return d.WithFix("choose an environment with a cluster of its own: %v", own)
	}
	return d
}

// groups are the consumer groups of the estate's services with the partitions
// that each must hold, by group.
func (e *estate) groups(running []program) []groupWant {
	byID := map[string]*groupWant{}
	for _, p := range running {
		for _, c := range p.service.Consumes {
			if !c.Grouped() {
				continue
			}
			id := p.service.GroupID(c)
			if byID[id] == nil {
				byID[id] = &groupWant{id: id, service: p.service.Name}
			}
			byID[id].topics = append(byID[id].topics, e.PhysicalTopic(c.Cluster, c.Topic))
			if c.DeadLetters() {
				byID[id].dead = append(byID[id].dead, p.service.DeadLetterTopic(c))
			}
		}
	}
	all := make([]groupWant, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		slices.Sort(byID[id].topics)
		all = append(all, *byID[id])
	}
	return all
}

// A groupWant is a consumer group that must read topics for a service to be
// ready.
type groupWant struct {
	id, service string
	topics      []string // as the cluster names them, sorted
	dead        []string // the topics of its dead letters
}

// checkPorts reports the ports that services listen on and that are not to be
// had, before anything is started.
func checkPorts(all []program, taken func(port int) error) error {
	var faults diag.List
	owners := map[int]string{}
	for _, p := range all {
		for _, port := range ports(p.service) {
			at := p.service.Position("workload")
			if first, twice := owners[port]; twice {
				faults.Add(diag.New(diag.UpPortShared, "%s and %s both listen on port %d", first, p.service.Name, port).At(at))
				continue
			}
			owners[port] = p.service.Name
			if err := taken(port); err != nil {
				faults.Add(diag.New(diag.UpPort, "port %d of %s is taken", port, p.service.Name).At(at).WithEvidence("%v", err).
					WithFix("stop the program that listens there (ss -ltnp 'sport = :%d' names it), or give %s another port in its environments block", port, p.service.Name))
			}
		}
	}
	return faults.Err()
}

// checkLogins reports services that log in as no cluster of a run lets them.
func (e *estate) checkLogins() error {
	var faults diag.List
	for _, svc := range e.Services {
		if how := svc.AuthOn(e.cluster); how == contract.Plain {
			faults.Add(diag.New(diag.UpListener, "%s authenticates by %s, for which the cluster of a run has no listener", svc.Name, how).
				At(svc.Position("identity/auth")))
		}
	}
	return faults.Err()
}

func ports(svc *contract.Service) []int {
	if svc.Workload == nil {
		return nil
	}
	return slices.DeleteFunc([]int{svc.Workload.HTTP, svc.Workload.GRPC}, func(port int) bool { return port == 0 })
}

func httpPort(svc *contract.Service) int {
	if svc.Workload == nil {
		return 0
	}
	return svc.Workload.HTTP
}
