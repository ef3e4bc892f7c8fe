package file_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// A judge tells what is wrong with a project as compose-go resolves it.
type judge func(project *types.Project) []string

// promises are what holds for every environment.
var promises = map[string]judge{
	"everything is enabled, and in its place":        whole,
	"three brokers are one cluster":                  cluster,
	"ports are open to this machine only":            ports,
	"services wait for the health of what they need": order,
	"no secret stands in it":                         secrets,
}

// whole finds what no profile enables, what runs as somebody else than who started
// it, and what is mounted from elsewhere.
func whole(project *types.Project) []string {
	var problems []string
	if !strings.HasPrefix(project.Name, "slipway-") || len(project.Services) < 8 || len(project.DisabledServices) > 0 {
		problems = append(problems, fmt.Sprintf("project %q has %d services, and %d that no profile enables", project.Name, len(project.Services), len(project.DisabledServices)))
	}
	for name, service := range project.Services {
		if service.User != "1000:1000" {
			problems = append(problems, fmt.Sprintf("%s runs as %q, not as who started it", name, service.User))
		}
		for _, mount := range service.Volumes {
			if within, err := filepath.Rel(project.WorkingDir, mount.Source); mount.Type != types.VolumeTypeBind || err != nil || !filepath.IsLocal(within) {
				problems = append(problems, fmt.Sprintf("%s mounts %s %s, which is not in the project's directory", name, mount.Type, mount.Source))
			}
		}
	}
	return problems
}

var (
	format = regexp.MustCompile(`^--cluster-id ([A-Za-z0-9_-]{22}) --initial-controllers (\S+)$`)
	nodeID = regexp.MustCompile(`(?m)^node\.id=(\d+)$`)
)

// cluster finds brokers that were formatted for different clusters, or by different
// voters: they never become one.
func cluster(project *types.Project) []string {
	var problems, nodes []string
	var id, voters string
	for _, name := range brokers(project) {
		broker := project.Services[name]
		words := format.FindStringSubmatch(value(broker.Environment, "FORMAT"))
		if words == nil {
			problems = append(problems, name+" has nothing to be formatted with")
			continue
		}
		id, voters = cmp.Or(id, words[1]), cmp.Or(voters, words[2])
		if words[1] != id || words[2] != voters {
			problems = append(problems, name+" is formatted for another cluster, or by others, than the first")
		}
		if node := nodeID.FindStringSubmatch(mounted(broker, "/kafka/server.properties")); node != nil {
			nodes = append(nodes, node[1]+"@"+broker.Hostname)
		}
	}
	var voting []string
	for voter := range strings.SplitSeq(voters, ",") {
		voting = append(voting, strings.Split(voter, ":")[0])
	}
	if len(nodes) != 3 || !slices.Equal(nodes, voting) {
		problems = append(problems, fmt.Sprintf("nodes are %v, voters are %v, want the same three", nodes, voting))
	}
	return problems
}

// brokers are the services that run Kafka.
func brokers(project *types.Project) []string {
	return slices.DeleteFunc(project.ServiceNames(), func(name string) bool {
		return !strings.HasPrefix(name, "kafka-")
	})
}

// value is that of a variable, or "".
func value(env types.MappingWithEquals, name string) string {
	if v := env[name]; v != nil {
		return *v
	}
	return ""
}

// mounted is the text of a file that a service mounts, or "".
func mounted(service types.ServiceConfig, target string) string {
	for _, mount := range service.Volumes {
		if mount.Target == target {
			text, _ := os.ReadFile(mount.Source) // what cannot be read says nothing
			return string(text)
		}
	}
	return ""
}

// ports finds those that are open to more than this machine: without an address one is
// open to the network that the machine is in.
func ports(project *types.Project) []string {
	var problems []string
	published := map[string]bool{}
	for name, service := range project.Services {
		for _, port := range service.Ports {
			if addr, err := netip.ParseAddr(port.HostIP); err != nil || !addr.IsLoopback() {
				problems = append(problems, fmt.Sprintf("%s publishes %s at %q", name, port.Published, port.HostIP))
			}
			if published[port.Published] {
				problems = append(problems, "two publish port "+port.Published)
			}
			published[port.Published] = true
		}
		if service.NetworkMode == "host" {
			problems = append(problems, name+" shares the machine's network")
		}
	}
	for _, name := range brokers(project) {
		if len(project.Services[name].Ports) == 0 {
			problems = append(problems, name+" cannot be reached from this machine")
		}
	}
	return problems
}

// order finds who starts before what it needs is ready: it would fail, and be started
// again and again.
func order(project *types.Project) []string {
	var problems []string
	for name, service := range project.Services {
		for other, dependency := range service.DependsOn {
			want := readiness(project.Services[other])
			if dependency.Condition != want || !dependency.Required {
				problems = append(problems, fmt.Sprintf("%s waits for %s until %s, want %s", name, other, dependency.Condition, want))
			}
		}
		for _, host := range hosts(service.Environment) {
			_, own := project.Services[host]
			if _, waits := service.DependsOn[host]; own && !waits {
				problems = append(problems, name+" speaks to "+host+" and does not wait for it")
			}
		}
	}
	return problems
}

// readiness is what there is to wait for: health where it is looked at, the end of
// what ends, and else the start.
func readiness(service types.ServiceConfig) string {
	switch {
	case service.HealthCheck != nil && !service.HealthCheck.Disable:
		return types.ServiceConditionHealthy
	case service.Restart == types.RestartPolicyOnFailure:
		return types.ServiceConditionCompletedSuccessfully
	}
	return types.ServiceConditionStarted
}

// hosts are those that an environment tells a service to speak to.
func hosts(env types.MappingWithEquals) []string {
	var all []string
	for server := range strings.SplitSeq(value(env, "BOOTSTRAP_SERVERS"), ",") {
		host, _, _ := strings.Cut(server, ":")
		all = append(all, host)
	}
	for name := range env {
		if u, err := url.Parse(value(env, name)); err == nil && u.Host != "" {
			all = append(all, u.Hostname())
		}
	}
	return all
}

func TestAProjectThatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		judge    judge
		override string
		problems int
	}{
		"of a profile":           {whole, "{grafana: {profiles: [other]}}", 0},
		"as root":                {whole, "{grafana: {user: '0'}}", 1},
		"mounted from elsewhere": {whole, "{grafana: {volumes: ['/etc:/etc']}}", 1},
		"another cluster":        {cluster, "{kafka-2: {environment: {FORMAT: '--cluster-id AAAAAAAAAAAAAAAAAAAAAA --initial-controllers 1@kafka-1:9090:AGmUQm8AnHAP_1WNRduC9g'}}}", 1},
		"not formatted":          {cluster, "{kafka-2: {environment: {FORMAT: !reset null}}}", 2},
		"another host":           {cluster, "{kafka-2: {hostname: other}}", 1},
		"any address":            {ports, "{grafana: {ports: ['3001:3000']}}", 1},
		"address of a network":   {ports, "{grafana: {ports: ['192.0.2.1:3001:3000']}}", 1},
		"the machine's network":  {ports, "{collector: {networks: !reset null, network_mode: host}}", 1},
		"not reachable":          {ports, "{kafka-3: {ports: !reset null}}", 1},
		"started, not healthy":   {order, "{minimal: {depends_on: {kafka-1: {condition: service_started}}}}", 1},
		"ended, not healthy":     {order, "{connect: {depends_on: {connect-gate: {condition: service_completed_successfully}}}}", 1},
		"nothing waited for":     {order, "{minimal: {depends_on: !reset null}}", 5},
		"not required":           {order, "{minimal: {depends_on: {kafka-1: {condition: service_healthy, required: false}}}}", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project, err := load(t, minimal, settings, override(t, "services: "+tt.override))
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.judge(project); len(got) != tt.problems {
				t.Errorf("problems %q, want %d", got, tt.problems)
			}
		})
	}
}
