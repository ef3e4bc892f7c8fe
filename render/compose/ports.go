package compose

import (
	"strconv"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// loopback publishes a port of a container at 127.0.0.1, for this machine alone.
func loopback(target, published int) manifest.Map {
	return manifest.Map{
		manifest.E("host_ip", "127.0.0.1"),
		manifest.E("target", target),
		manifest.E("published", strconv.Itoa(published)),
	}
}

// A wish is a port of a service that this machine is to reach.
type wish struct {
	svc  *contract.Service
	port int
	from string // the contract's element
}

// publish gives the ports of services a place at 127.0.0.1: by service, the entries
// of its container. The first by name gets the very number of its contract. Whoever
// comes later, or wants a number that another container has, gets the next that is
// free and that nobody asked for.
func (p *project) publish(services []*contract.Service) map[string][]any {
	var wishes []wish
	for _, svc := range services {
		for _, w := range []wish{{svc, svc.Workload.HTTP, "workload/http"}, {svc, svc.Workload.GRPC, "workload/grpc"}} {
			if w.port != 0 {
				wishes = append(wishes, w)
			}
		}
	}
	taken := p.published()
	given := make([]int, len(wishes))
	for i, w := range wishes {
		if !taken[w.port] {
			given[i], taken[w.port] = w.port, true
		}
	}
	all := map[string][]any{}
	for i, w := range wishes {
		from := manifest.At(w.svc, w.from)
		if given[i] == 0 {
			for given[i] = w.port; taken[given[i]]; given[i]++ {
			}
			taken[given[i]] = true
			from += ", whose number another container has on this machine"
		}
		entry := loopback(w.port, given[i])
		entry[len(entry)-1] = entry[len(entry)-1].From("%s", from)
		all[w.svc.Name] = append(all[w.svc.Name], entry)
	}
	return all
}

// published are the ports of this machine that containers have already.
func (p *project) published() map[int]bool {
	taken := map[int]bool{}
	for _, e := range p.services {
		ports, _ := e.Value.(manifest.Map).Get("ports").([]any)
		for _, entry := range ports {
			if port, err := strconv.Atoi(entry.(manifest.Map).Get("published").(string)); err == nil {
				taken[port] = true
			}
		}
	}
	return taken
}
