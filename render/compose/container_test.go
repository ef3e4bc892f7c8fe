package compose_test

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/rendertest"
)

// A running is a container of compose.yaml, as far as it decides how the program in
// it runs.
type running struct {
	Image       string
	Command     []string
	Entrypoint  []string
	Environment map[string]string
	Tmpfs       []string
	Networks    yaml.Node
	Volumes     []struct{ Target string }
	Logging     struct {
		Driver  string
		Options map[string]string
	}
	Healthcheck struct{ Test []string }
	Deploy      struct {
		Resources struct{ Limits struct{ CPUs, Memory string } }
	}
	Ports []struct {
		Target    int
		Published string
	}
}

type runningProject struct {
	Services map[string]running
	Networks map[string]struct{ Internal bool }
}

func content(t testing.TB, all []render.File, path string) []byte {
	t.Helper()
	for _, f := range all {
		if f.Path == path {
			return f.Content
		}
	}
	t.Fatalf("there is no %s", path)
	return nil
}

func containersOf(t testing.TB, all []render.File) runningProject {
	t.Helper()
	var p runningProject
	if err := yaml.Unmarshal(content(t, all, "compose.yaml"), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func everything(t testing.TB) []render.File {
	t.Helper()
	return files(t, onThisMachine(t, rendertest.Estate(t, "everything"), environments["everything"]))
}

// Docker mounts tmpfs noexec, and a library that Java unpacks into /tmp cannot be
// loaded from there: no broker would take a batch in snappy, which contracts have by
// default.
func TestProgramsOfJavaMayLoadTheirCodecsAndNoOthersMayRunWhatTheyWrite(t *testing.T) {
	t.Parallel()
	for name, c := range containersOf(t, everything(t)).Services {
		java := slices.ContainsFunc([]string{"slipway-kafka:", "/debezium/connect:", "/apicurio-registry-mem:"}, func(image string) bool {
			return strings.Contains(c.Image, image)
		})
		i := slices.IndexFunc(c.Tmpfs, func(mount string) bool { return strings.HasPrefix(mount, "/tmp:") })
		if i < 0 {
			t.Errorf("%s has nowhere to write", name)
			continue
		}
		if exec := slices.Contains(strings.Split(c.Tmpfs[i], ","), "exec"); exec != java {
			t.Errorf("%s (%s) may run what is in /tmp: %v, want %v", name, c.Image, exec, java)
		}
	}
}

// What Kafka logs to files is kept by nobody and fills /tmp, which is memory.
func TestKafkaAndConnectLogToTheirOutput(t *testing.T) {
	t.Parallel()
	all := everything(t)
	project := containersOf(t, all)
	for name, path := range map[string]string{"kafka-1": "/kafka/log4j2.yaml", "connect": "/etc/connect/log4j2.yaml"} {
		if !slices.ContainsFunc(project.Services[name].Volumes, func(v struct{ Target string }) bool { return v.Target == path }) {
			t.Errorf("%s has no %s", name, path)
		}
	}
	if got, want := project.Services["connect"].Environment["KAFKA_LOG4J_OPTS"], "-Dlog4j2.configurationFile=/etc/connect/log4j2.yaml"; got != want {
		t.Errorf("connect logs by %q, want %q", got, want)
	}
	start := string(content(t, all, "kafka/start.sh"))
	for _, want := range []string{`KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$PWD/log4j2.yaml"`, `EXTRA_ARGS="-name kafkaServer"`} {
		if !strings.Contains(start, want) {
			t.Errorf("start.sh does not set %s", want)
		}
	}
}

// The image makes roles and databases through the socket in /var/run/postgresql, and
// through nothing else, by a server that listens nowhere but there. A health check
// that asked it would say yes before there is a role.
func TestPostgresHasItsSocketWhereItsImageLooksForIt(t *testing.T) {
	t.Parallel()
	c := containersOf(t, everything(t)).Services["postgres"]
	if command := strings.Join(c.Command, " "); strings.Contains(command, "unix_socket_directories") || c.Environment["PGHOST"] != "" {
		t.Errorf("its socket is moved: %s, %v", command, c.Environment)
	}
	if !slices.ContainsFunc(c.Tmpfs, func(mount string) bool { return strings.HasPrefix(mount, "/var/run/postgresql:mode=1777") }) {
		t.Errorf("there is no place for its socket: %q", c.Tmpfs)
	}
	if test := strings.Join(c.Healthcheck.Test, " "); !strings.Contains(test, "host=localhost") || !strings.Contains(test, "sslmode=verify-full") {
		t.Errorf("its health is asked by the socket: %s", test)
	}
}

// Certificates have hosts, and clients dial hosts: a node's name alone would not do.
func TestANodeIsFoundByItsHost(t *testing.T) {
	t.Parallel()
	all := files(t, onThisMachine(t, rendertest.Estate(t, "minimal"), environments["minimal"], "hosts: [kafka-2, localhost]", "hosts: [two.example, localhost]"))
	var at map[string]struct{ Aliases []string }
	networks := containersOf(t, all).Services["kafka-2"].Networks
	if err := networks.Decode(&at); err != nil || !slices.Equal(at["kafka"].Aliases, []string{"two.example"}) {
		t.Errorf("kafka-2 is found by %v, %v", at, err)
	}
}

func TestServicesAreReachedFromThisMachineAtThePortsOfTheirContracts(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s, owner: team-any}
workload: {image: "registry.example.com/%[1]s:v1", http: %[2]d, grpc: %[3]d}
`
	tree := fstest.MapFS{
		"clusters.yaml":  {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments: {prod: {default: local}}\n")},
		"a/slipway.yaml": {Data: fmt.Appendf(nil, text, "a", 8080, 9090)},
		"b/slipway.yaml": {Data: fmt.Appendf(nil, text, "b", 8080, 9091)},
		"c/slipway.yaml": {Data: fmt.Appendf(nil, text, "c", 8081, 3000)},
	}
	estate := rendertest.Load(t, tree)
	got := map[string]string{}
	for name, c := range containersOf(t, files(t, onThisMachine(t, estate, "prod"))).Services {
		for _, p := range c.Ports {
			if len(name) == 1 {
				got[fmt.Sprintf("%s:%d", name, p.Target)] = p.Published
			}
		}
	}
	// 8081 is what c asked for, so that b gets the one after, and 3000 is Grafana's.
	want := map[string]string{"a:8080": "8080", "a:9090": "9090", "b:8080": "8082", "b:9091": "9091", "c:8081": "8081", "c:3000": "3001"}
	for at, port := range want {
		if got[at] != port {
			t.Errorf("%s is published at %s, want %s", at, got[at], port)
		}
	}
	if len(got) != len(want) {
		t.Errorf("published are %v, want %v", got, want)
	}
}

func TestServicesKnowTheLimitsOfTheirContainers(t *testing.T) {
	t.Parallel()
	in := onThisMachine(t, rendertest.Estate(t, "everything"), environments["everything"])
	project := containersOf(t, files(t, in))
	for _, svc := range resolved(t, in).Services {
		c := project.Services[svc.Name]
		limits := c.Deploy.Resources.Limits
		memory, err := strconv.Atoi(strings.TrimSuffix(limits.Memory, "b"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := c.Environment["GOMEMLIMIT"], fmt.Sprintf("%dMiB", memory/10*9>>20); got != want {
			t.Errorf("%s may use %d bytes and has GOMEMLIMIT=%s, want %s", svc.Name, memory, got, want)
		}
		cpus, err := strconv.ParseFloat(limits.CPUs, 64)
		procs, bad := strconv.Atoi(c.Environment["GOMAXPROCS"])
		if err != nil || bad != nil || float64(procs) < cpus || float64(procs) >= cpus+1 {
			t.Errorf("%s may use %s processors and has GOMAXPROCS=%d", svc.Name, limits.CPUs, procs)
		}
	}
}

// It is Docker that sends logs, from outside of the containers' networks: there has to
// be a port of this machine, and a network that leads out behind it.
func TestLogsOfServicesHaveAWayToLoki(t *testing.T) {
	t.Parallel()
	in := onThisMachine(t, rendertest.Estate(t, "everything"), environments["everything"])
	all := files(t, in)
	project := containersOf(t, all)
	var collector struct {
		Receivers struct{ Fluentforward struct{ Endpoint string } }
		Service   struct {
			Pipelines map[string]struct{ Receivers, Processors, Exporters []string }
		}
	}
	if err := yaml.Unmarshal(content(t, all, "otel/collector.yaml"), &collector); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(collector.Receivers.Fluentforward.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if logs := collector.Service.Pipelines["logs"]; !slices.Contains(logs.Receivers, "fluentforward") || !slices.Contains(logs.Exporters, "otlp_http/loki") {
		t.Errorf("logs go from %q to %q", logs.Receivers, logs.Exporters)
	}
	c := project.Services["collector"]
	if len(c.Ports) != 1 || c.Ports[0].Published != port || strconv.Itoa(c.Ports[0].Target) != port {
		t.Errorf("the collector listens at %s, and published is %+v", port, c.Ports)
	}
	var networks []string
	if err := c.Networks.Decode(&networks); err != nil || !slices.ContainsFunc(networks, func(n string) bool { return !project.Networks[n].Internal }) {
		t.Errorf("no network of the collector leads out: %q, %v", networks, err)
	}
	for _, svc := range resolved(t, in).Services {
		logging := project.Services[svc.Name].Logging
		if logging.Driver != "fluentd" || logging.Options["fluentd-address"] != "127.0.0.1:"+port || logging.Options["tag"] != svc.Name || logging.Options["fluentd-async"] != "true" {
			t.Errorf("%s logs to %+v", svc.Name, logging)
		}
	}
}

func resolved(t testing.TB, in render.Input) *contract.Resolved {
	t.Helper()
	r, err := in.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
