package compose

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/manifest"
)

// Target is the target that runs an environment on one machine: a project directory
// for Docker Compose, with a script that makes the credentials and starts it.
func Target() render.Target {
	return render.Target{
		Name: "compose", Summary: "a Docker Compose project: three secured brokers, registry, Connect, Postgres, telemetry, the services",
		Render: func(in render.Input) ([]render.File, error) {
			r, err := in.Resolve()
			if err != nil {
				return nil, err
			}
			p, err := newProject(in, r)
			if err != nil {
				return nil, err
			}
			return p.all()
		},
	}
}

func newProject(in render.Input, r *contract.Resolved) (*project, error) {
	name := r.ClusterName(contract.DefaultAlias)
	for _, alias := range slices.Sorted(maps.Keys(r.Bindings)) {
		if other := r.ClusterName(alias); other != name {
			return nil, diag.New(diag.RenderComposePart, "environment %s is on %s and %s, and one cluster is run here", r.Env, name, other).
				At(r.Clusters.Position("environments/" + r.Env + "/" + alias)).
				WithFix("bind every alias of an environment for Docker Compose to the same cluster")
		}
	}
	c, err := kafka(r, name)
	if err != nil {
		return nil, err
	}
	if c.Entry.CA.File == "" {
		return nil, diag.New(diag.RenderComposePart, "cluster %s names no file for its authority", name).
			At(r.Clusters.Position("clusters/"+name)).
			WithFix("write ca: %s.crt; up.sh puts the authority there that it makes, and commands trust it", name)
	}
	return &project{in: in, r: r, kafka: c, secrets: map[string]string{}}, nil
}

// all are the files of the project.
func (p *project) all() ([]render.File, error) {
	p.brokers()
	p.postgres()
	var faults diag.List
	for _, add := range []func() error{p.registry, p.connect, p.telemetry, p.contracted} {
		faults = append(faults, diag.Of(add())...)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	p.ready()
	p.file("compose.yaml", p.compose())
	p.file("up.sh", p.script())
	p.file(".gitignore", []byte("# What belongs to one machine: keys, passwords, data, and which user they are of.\n/secrets/\n/data/\n/.env\n"))
	return p.files, nil
}

// compose is compose.yaml. It has no version: Compose has ignored that since 2020.
func (p *project) compose() []byte {
	head := fmt.Sprintf(`The environment %s on one machine, from the contracts and %s.
Rendered by slipway render compose: an edit is noticed, and not kept. What differs
on your machine belongs into compose.override.yaml.

sh up.sh ESTATE   makes what is missing of certificates and passwords, starts all
                  this, and applies the contracts. It can be run again.
docker compose down    stops it. Data stays in data/, keys and passwords in secrets/.`, p.r.Env, contract.ClustersFile)
	return manifest.YAML(head, manifest.Map{
		manifest.E("name", "slipway-"+p.r.Env),
		manifest.E("services", p.services),
		manifest.E("networks", p.networks()),
		manifest.E("secrets", p.secretFiles()),
	})
}

// networks keep apart what has no business with one another. None of them is
// trusted: brokers, registry and Postgres ask everybody who they are.
func (p *project) networks() manifest.Map {
	why := map[string]string{
		"kafka":     "brokers and their clients",
		"registry":  "the schema registry's gate and the services",
		"connect":   "the gate of Kafka Connect",
		"database":  "Postgres and who keeps rows in it",
		"telemetry": "metrics, traces and logs; no way out of it",
		"front":     "Grafana's port at localhost",
	}
	used := map[string]bool{}
	for _, e := range p.services {
		switch v := e.Value.(manifest.Map).Get("networks").(type) {
		case []string:
			for _, n := range v {
				used[n] = true
			}
		case manifest.Map:
			for _, n := range v {
				used[n.Key] = true
			}
		}
	}
	var m manifest.Map
	for _, n := range slices.Sorted(maps.Keys(used)) {
		body := manifest.Map{manifest.E("driver", "bridge")}
		if n == "telemetry" || n == "database" {
			body = append(body, manifest.E("internal", true))
		}
		m = append(m, manifest.E(n, body).From("%s", why[n]))
	}
	return m
}

func (p *project) secretFiles() manifest.Map {
	var m manifest.Map
	for _, name := range slices.Sorted(maps.Keys(p.secrets)) {
		m = append(m, manifest.E(name, manifest.Map{manifest.E("file", "./secrets/"+p.secrets[name])}))
	}
	return m
}
