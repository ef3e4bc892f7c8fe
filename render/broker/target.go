package broker

import (
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
)

// Target is the target that sets up Kafka on machines: server.properties for each
// node of each cluster that an environment is on.
func Target() render.Target {
	return render.Target{
		Name: "broker", Summary: "server.properties for each broker and controller that clusters.yaml lists, secured, with reasons",
		Render: func(in render.Input) ([]render.File, error) {
			r, err := in.Resolve()
			if err != nil {
				return nil, err
			}
			var files []render.File
			var faults diag.List
			for _, name := range clusters(r) {
				c, err := New(r, name)
				if err != nil {
					faults = append(faults, diag.Of(err)...)
					continue
				}
				for _, n := range c.Nodes {
					files = append(files, render.File{Path: name + "/" + n.Name + "/server.properties", Content: c.File(n, DefaultPlace)})
				}
			}
			return files, faults.Err()
		},
	}
}

// clusters are the names of those that an environment is on, each once, sorted.
func clusters(r *contract.Resolved) []string {
	var names []string
	for b := range maps.Values(r.Bindings) {
		names = append(names, b.Cluster)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
