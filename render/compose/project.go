package compose

import (
	"fmt"
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/broker"
	"github.com/slipway-go/slipway/render/manifest"
)

// A project is what a rendering gathers: files, and the entries of compose.yaml.
type project struct {
	in    render.Input
	r     *contract.Resolved
	kafka *broker.Cluster

	files    []render.File
	services manifest.Map
	secrets  map[string]string // name → file below secrets/
	folders  []string          // below data/, for the containers that keep something
	watched  []watched
}

// watched is an address that answers 200 once a container does its work, and that
// the container cannot ask itself.
type watched struct{ name, url string }

// at names the place of an element of the cluster in clusters.yaml.
func (p *project) at(path string) string {
	return manifest.AtClusters(p.r.Clusters, "clusters/"+p.kafka.Entry.Name+path)
}

func (p *project) file(path string, content []byte) {
	p.files = append(p.files, render.File{Path: path, Content: content})
}

// limits are what a container may use at most.
type limits struct {
	cpu    int // thousandths of a processor
	memory int // bytes
}

// Docker mounts what it keeps in memory noexec, nosuid and nodev, unless told
// otherwise.
const scratch = "/tmp:mode=1777,size=64m"

// java has /tmp for a program of the JVM: snappy and zstd unpack their libraries
// there and load them, and without them a broker refuses every compressed batch.
func java() manifest.Entry {
	return manifest.E("tmpfs", []string{scratch + ",exec"}).From("exec, because codecs are libraries that Java unpacks there")
}

// service adds a container. What all have in common keeps a program that was broken
// into from becoming more than itself: it is no root, has no capabilities and can
// get none, writes nowhere but to /tmp and its data, and cannot use up the machine.
func (p *project) service(name string, l limits, entries ...manifest.Entry) {
	body := manifest.Map{}
	body = append(body, entries...)
	for _, usual := range []manifest.Entry{
		manifest.E("restart", "unless-stopped"),
		manifest.E("tmpfs", []string{scratch}),
		manifest.E("logging", manifest.Map{manifest.E("driver", "json-file"), manifest.E("options", manifest.Map{manifest.E("max-size", "10m"), manifest.E("max-file", "3")})}),
	} {
		if body.Get(usual.Key) == nil {
			body = append(body, usual)
		}
	}
	body = append(body,
		manifest.E("user", "${SLIPWAY_UID:?run up.sh}:${SLIPWAY_GID:?run up.sh}").From("whose the secrets are, so that nobody else has to be able to read them"),
		manifest.E("read_only", true),
		manifest.E("cap_drop", []string{"ALL"}),
		manifest.E("security_opt", []string{"no-new-privileges:true"}),
		manifest.E("deploy", manifest.Map{manifest.E("resources", manifest.Map{manifest.E("limits", manifest.Map{
			manifest.E("cpus", fmt.Sprintf("%d.%03d", l.cpu/1000, l.cpu%1000)),
			manifest.E("memory", fmt.Sprintf("%db", l.memory)),
			manifest.E("pids", 1000),
		})})}),
	)
	p.services = append(p.services, manifest.E(name, body))
}

// healthcheck asks every 30 seconds, and every 2 while the container starts. Five
// refusals make it unhealthy: one is an election.
func healthcheck(start string, command ...string) manifest.Map {
	return manifest.Map{
		manifest.E("test", append([]string{"CMD"}, command...)),
		manifest.E("interval", "30s"),
		manifest.E("timeout", "5s"),
		manifest.E("retries", 5),
		manifest.E("start_period", start),
		manifest.E("start_interval", "2s"),
	}
}

func readOnly(from, to string) manifest.Map {
	return manifest.Map{
		manifest.E("type", "bind"), manifest.E("source", "./"+from), manifest.E("target", to), manifest.E("read_only", true),
		manifest.E("bind", manifest.Map{manifest.E("create_host_path", false)}),
	}
}

// data is a directory that outlives the container. It is made by up.sh, so that it
// belongs to who runs it; Docker would make it root's.
func (p *project) data(name, to string) manifest.Map {
	p.folders = append(p.folders, name)
	return manifest.Map{
		manifest.E("type", "bind"), manifest.E("source", "./data/"+name), manifest.E("target", to),
		manifest.E("bind", manifest.Map{manifest.E("create_host_path", false)}),
	}
}

// secret is a file of secrets/ in a container.
func (p *project) secret(name, file, to string) manifest.Map {
	p.secrets[name] = file
	return manifest.Map{manifest.E("source", name), manifest.E("target", to)}
}

// after are the containers that have to be healthy first.
func after(names ...string) manifest.Map {
	var m manifest.Map
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		m = append(m, manifest.E(n, manifest.Map{manifest.E("condition", "service_healthy")}))
	}
	return m
}

// begun are the containers that have to be started first: those that cannot tell
// whether they are healthy, and whose callers wait by themselves.
func begun(m manifest.Map, names ...string) manifest.Map {
	for _, n := range names {
		m = append(m, manifest.E(n, manifest.Map{manifest.E("condition", "service_started")}))
	}
	return m
}
