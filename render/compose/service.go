package compose

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

const (
	folder   = "/var/lib/slipway"      // where a service keeps what it writes
	settings = "/etc/slipway/settings" // where its own settings are that are secret
)

// healthPort is where a service answers probes and tells its metrics.
func healthPort(svc *contract.Service) int {
	if svc.Workload != nil && svc.Workload.HTTP != 0 {
		return svc.Workload.HTTP
	}
	return 8081
}

// contracted adds the services of the contracts.
func (p *project) contracted() error {
	var faults diag.List
	names := map[string]bool{}
	for _, e := range p.services {
		names[e.Key] = true
	}
	var runnable []*contract.Service
	for _, svc := range p.r.Services {
		switch {
		case svc.Workload == nil || svc.Workload.Image == "":
			faults.Add(diag.New(diag.RenderComposePart, "service %s has no workload.image", svc.Name).At(svc.Position("metadata/name")).
				WithFix("name the image that the service is released as, below workload"))
			continue
		case strings.HasSuffix(svc.Workload.Image, ":latest") && p.r.Env != "dev":
			faults.Add(diag.New(diag.RenderComposePart, "the image of service %s is latest, which is another one tomorrow", svc.Name).At(svc.Position("workload/image")).
				WithFix("name a version or a digest; only the environment dev may have latest"))
			continue
		case names[svc.Name]:
			faults.Add(diag.New(diag.RenderComposePart, "service %s is called like another container of the environment", svc.Name).At(svc.Position("metadata/name")).
				WithFix("call the service differently; nodes can be called differently in %s", contract.ClustersFile))
			continue
		}
		runnable = append(runnable, svc)
	}
	published := p.publish(runnable)
	for _, svc := range runnable {
		p.contract(svc, published[svc.Name])
	}
	return faults.Err()
}

func (p *project) contract(svc *contract.Service, ports []any) {
	w := svc.Workload
	most := limits{cpu: max(100, int(w.CPU)), memory: max(64<<20, int(w.Memory))}
	networks := []string{"kafka", "telemetry"}
	deps := after(p.nodeNames()...)
	entries := []manifest.Entry{
		manifest.E("image", image(w.Image)).From("%s", manifest.At(svc, "workload/image")),
		manifest.E("labels", manifest.Labels(svc)),
		manifest.E("environment", append(p.variables(svc),
			manifest.E("GOMEMLIMIT", fmt.Sprintf("%dMiB", most.memory/10*9>>20)).From("nine tenths of the memory: the collector works harder before the kernel kills"),
			manifest.E("GOMAXPROCS", strconv.Itoa((most.cpu+999)/1000)).From("cores, rounded up: not those of the machine"))),
		manifest.E("secrets", p.credentials(svc)),
	}
	if p.kafka.Entry.Registry != nil {
		networks = append(networks, "registry")
		deps = append(deps, after("registry")...)
	}
	if manifest.DatabaseOf(svc) == manifest.ServerDatabase {
		networks = append(networks, "database")
		deps = append(deps, after("postgres")...)
	}
	entries = append(entries, p.volumes(svc))
	slices.Sort(networks)
	entries = append(entries,
		manifest.If(len(ports) > 0, manifest.E("ports", ports)),
		manifest.E("networks", networks),
		logs(svc.Name),
		manifest.E("stop_grace_period", "35s").From("longer than SHUTDOWN_TIMEOUT, so that it ends by itself"),
		manifest.E("depends_on", begun(deps, "collector")))
	p.watched = append(p.watched, watched{svc.Name, fmt.Sprintf("http://%s:%d/readyz", svc.Name, healthPort(svc))})
	p.service(svc.Name, most, entries...)
}

// volumes are the directories that a service is given: for what it writes, and of its
// secret settings, so that it follows a file that changes.
func (p *project) volumes(svc *contract.Service) manifest.Entry {
	var all []any
	var from []string
	if manifest.Volume(svc) > 0 {
		all, from = append(all, p.data(svc.Name, folder)), append(from, manifest.At(svc, "workload/volume"))
	}
	if names := secretSettings(svc); len(names) > 0 {
		all, from = append(all, readOnly("secrets/settings/"+svc.Name, settings)), append(from, manifest.At(svc, "config/"+names[0]))
	}
	return manifest.If(len(all) > 0, manifest.E("volumes", all).From("%s", strings.Join(from, ", ")))
}

// image is what a contract names, with a version from .env where it has none.
func image(name string) string {
	if strings.Contains(name, "@") || strings.Contains(path.Base(name), ":") {
		return name
	}
	return name + ":${TAG:?write TAG=version into .env}"
}

// variables are the surroundings of a service, in which no secret stands.
func (p *project) variables(svc *contract.Service) manifest.Map {
	port := containersPort
	if svc.AuthOn(p.kafka.Entry.Name) != contract.MTLS {
		port = containersSCRAMPort
	}
	m := manifest.Map{
		manifest.E("ENVIRONMENT", p.r.Env),
		manifest.E("ACL_PRINCIPAL", svc.Principal()),
	}
	for _, c := range manifest.Connections(p.r, svc) { // all of them lead to the one cluster
		m = append(m, manifest.E(c.Variable("BOOTSTRAP_SERVERS"), p.bootstrap(port)), manifest.If(c.Prefix != "", manifest.E(c.Variable("TOPIC_PREFIX"), c.Prefix)))
	}
	m = append(m, manifest.E("TLS_CA_PATH", "/run/secrets/ca.crt"))
	if port == containersPort {
		m = append(m, manifest.E("TLS_CERT_PATH", "/run/secrets/tls.crt"), manifest.E("TLS_KEY_PATH", "/run/secrets/tls.key"))
	} else {
		m = append(m, manifest.E("SASL_PASSWORD_PATH", "/run/secrets/password"))
	}
	if r := p.kafka.Entry.Registry; r != nil {
		m = append(m, manifest.E("SCHEMA_REGISTRY_URL", strings.Replace(r.URL, "localhost", "registry", 1)), manifest.E("SCHEMA_REGISTRY_AUTH_PATH", "/run/secrets/registry"))
	}
	switch manifest.DatabaseOf(svc) {
	case manifest.ServerDatabase:
		m = append(m, manifest.E("DATABASE_URL", fmt.Sprintf("postgres://%[1]s@postgres:5432/%[1]s?sslmode=verify-full&sslrootcert=/run/secrets/postgres.crt&passfile=/run/secrets/pgpass", role(svc))))
	case manifest.FileDatabase:
		m = append(m, manifest.E("DATABASE_URL", "sqlite:"+folder+"/rows.db?mode=rwc"))
	}
	if len(manifest.Spills(svc)) > 0 {
		m = append(m, manifest.E("SPILL_PATH", folder+"/spill"))
	}
	if names := secretSettings(svc); len(names) > 0 {
		m = append(m, manifest.E("SECRETS_PATH", settings).From("%s", manifest.At(svc, "config/"+names[0])))
	}
	if svc.Workload.HTTP == 0 {
		m = append(m, manifest.E("HEALTH_ADDRESS", fmt.Sprintf("0.0.0.0:%d", healthPort(svc))))
	}
	return append(m,
		manifest.E("SHUTDOWN_TIMEOUT", "30s"),
		manifest.E("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
		manifest.E("LOG_FORMAT", "json"))
}

// secretSettings are the service's own settings that are secret, by name. None has a
// default, and only the team knows a value.
func secretSettings(svc *contract.Service) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(svc.Config)) {
		if svc.Config[name].Secret {
			names = append(names, name)
		}
	}
	return names
}

// credentials are a service's own and no other's.
func (p *project) credentials(svc *contract.Service) []any {
	all := []any{p.secret("ca", "ca.crt", "/run/secrets/ca.crt")}
	user := svc.User()
	if svc.AuthOn(p.kafka.Entry.Name) == contract.MTLS {
		all = append(all,
			p.secret(svc.Name+"-certificate", "clients/"+user+"/tls.crt", "/run/secrets/tls.crt"),
			p.secret(svc.Name+"-key", "clients/"+user+"/tls.key", "/run/secrets/tls.key"))
	} else {
		all = append(all, p.secret(svc.Name+"-password", "users/"+user+"/password", "/run/secrets/password"))
	}
	if p.kafka.Entry.Registry != nil {
		all = append(all, p.secret("registry-reader", "registry/reader", "/run/secrets/registry"))
	}
	if manifest.DatabaseOf(svc) == manifest.ServerDatabase {
		all = append(all,
			p.secret("postgres-certificate", "postgres/tls.crt", "/run/secrets/postgres.crt"),
			p.secret(svc.Name+"-pgpass", "postgres/"+svc.Name+".pgpass", "/run/secrets/pgpass"))
	}
	return all
}

// ready adds a container that is healthy when all those are that cannot ask
// themselves, because their images hold one program and nothing else.
func (p *project) ready() {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n# Whether everything answers that cannot ask itself: all of it, or the first that does not.\n# Rendered by slipway render compose: an edit is noticed, and not kept.\nset -eu\nask() { curl -fsS -m 2 -o /dev/null \"$2\" || { echo \"$1 is not ready\" >&2; exit 1; }; }\n")
	var names []string
	for _, w := range p.watched {
		fmt.Fprintf(&b, "ask %s %s\n", w.name, w.url)
		names = append(names, w.name)
	}
	p.file("ready/ready.sh", []byte(b.String()))
	p.service("ready", limits{cpu: 200, memory: 64 << 20},
		manifest.E("image", curlImage),
		manifest.E("entrypoint", []string{"/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"}),
		manifest.E("volumes", []any{readOnly("ready/ready.sh", "/ready.sh")}),
		manifest.E("networks", []string{"telemetry"}),
		manifest.E("depends_on", begun(nil, names...)),
		manifest.E("healthcheck", healthcheck("120s", "/bin/sh", "/ready.sh")),
	)
}
