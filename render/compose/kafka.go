package compose

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/broker"
	"github.com/slipway-go/slipway/render/manifest"
)

// The listeners of brokers for other containers. What bootstrap in clusters.yaml
// names is for programs on the machine itself, at localhost: a client follows the
// address that it is told, and the two have no address in common.
const (
	containersMTLS  = "CONTAINERS"
	containersSCRAM = "CONTAINERS_SCRAM"

	containersPort      = 9095
	containersSCRAMPort = 9096

	metricsPort = 9404 // of the JMX exporter
)

// home is the directory that brokers run in. Paths in their settings are relative
// to it, so the same files serve processes that run elsewhere.
const home = "/kafka"

// places are where a broker has its files, seen from [home].
func place(n broker.Node) broker.Place {
	return broker.Place{TLS: "tls", Data: "data", Bind: n.Host}
}

//go:embed files/start.sh
var startScript []byte

//go:embed files/log4j2.yaml
var logRules []byte

//go:embed files/jmx.yaml
var jmxRules []byte

// kafka derives the cluster of the environment with the listeners for containers.
func kafka(r *contract.Resolved, name string) (*broker.Cluster, error) {
	c, err := broker.New(r, name)
	if err != nil {
		return nil, err
	}
	var faults diag.List
	ports := map[int]string{}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		for _, l := range n.Listeners {
			client := l.Name == "MTLS" || l.Name == "SCRAM"
			at := fmt.Sprintf("clusters/%s/nodes/%s", name, n.Name)
			if client && l.Host != "localhost" {
				faults.Add(diag.New(diag.RenderComposeNode, "bootstrap does not lead to node %s at localhost", n.Name).At(r.Clusters.Position(at)))
			}
			if other, twice := ports[l.Port]; client && twice {
				faults.Add(diag.New(diag.RenderComposeNode, "nodes %s and %s would both be at localhost:%d", other, n.Name, l.Port).At(r.Clusters.Position(at)))
			}
			if client {
				ports[l.Port] = n.Name
			}
		}
		if n.Host == "localhost" {
			faults.Add(diag.New(diag.RenderComposeNode, "node %s has no host but localhost, so the other containers cannot find it", n.Name).
				At(r.Clusters.Position(fmt.Sprintf("clusters/%s/nodes/%s", name, n.Name))))
		}
		if !n.Broker {
			continue
		}
		n.Listeners = append(n.Listeners, broker.Listener{Name: containersMTLS, Host: n.Host, Port: containersPort, Why: "for containers that show a certificate"})
		if len(c.Mechanisms) > 0 {
			n.Listeners = append(n.Listeners, broker.Listener{Name: containersSCRAM, Host: n.Host, Port: containersSCRAMPort, SASL: true, Why: "for containers that prove a password"})
		}
	}
	return c, faults.Err()
}

// brokers adds the nodes: a service, its settings and its data for each.
func (p *project) brokers() {
	p.file("kafka/start.sh", startScript)
	p.file("kafka/jmx.yaml", jmxRules)
	p.file("kafka/log4j2.yaml", logRules)
	p.file("kafka/Dockerfile", []byte(dockerfile))
	for _, n := range p.kafka.Nodes {
		p.file("kafka/"+n.Name+"/server.properties", p.kafka.File(n, place(n)))
		p.file("kafka/"+n.Name+"/health.properties", []byte(loginProperties("How the health check of "+n.Name+" logs in: with the node's own certificate.")))
		p.node(n)
	}
}

const (
	agentJar   = "jmx_prometheus_javaagent-" + agentVersion + ".jar"
	dockerfile = `# Kafka with the agent that turns its JMX beans into Prometheus' metrics. The agent
# reads them within the process: no JMX port is opened.
# Rendered by slipway render compose: an edit is noticed, and not kept.
FROM ` + mavenImage + ` AS agent
RUN mvn -q -B dependency:copy -Dartifact=io.prometheus.jmx:jmx_prometheus_javaagent:` + agentVersion + ` -DoutputDirectory=/agent \
 && echo "` + agentSum + `  /agent/` + agentJar + `" | sha256sum -c -

FROM apache/kafka:` + kafkaVersion + `
COPY --from=agent --chmod=0444 /agent/` + agentJar + ` /opt/jmx/agent.jar
`
)

// loginProperties are how a tool logs in with the certificate beside it. The health
// check does so as the node itself: whoever else asked would have to have rights.
func loginProperties(why string) string {
	return "# " + why + `
# Rendered by slipway render compose: an edit is noticed, and not kept.
security.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location=tls/keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=tls/truststore.pem
`
}

func (p *project) node(n broker.Node) {
	var ports []any
	for _, l := range n.Listeners {
		if l.Host == "localhost" {
			at := loopback(l.Port, l.Port)
			at[len(at)-1] = at[len(at)-1].From("%s, for programs on this machine", l.Name)
			ports = append(ports, at)
		}
	}
	bootstrap := fmt.Sprintf("%s:%d", n.Host, containersPort)
	if !n.Broker {
		bootstrap = ""
	}
	format := strings.Join(p.kafka.Formatting(n), " ")
	var check any
	if bootstrap != "" {
		check = healthcheck("60s", "/opt/kafka/bin/kafka-broker-api-versions.sh", "--bootstrap-server", bootstrap, "--command-config", "health.properties")
	} else {
		check = healthcheck("60s", "/opt/kafka/bin/kafka-metadata-quorum.sh", "--bootstrap-controller", fmt.Sprintf("%s:9090", n.Host), "--command-config", "health.properties", "describe", "--status")
	}
	p.service(n.Name, limits{cpu: 2000, memory: 1536 << 20},
		manifest.E("build", manifest.Map{manifest.E("context", "kafka")}),
		manifest.E("image", kafkaImage),
		manifest.E("pull_policy", "never").From("it is built here, and no registry has it"),
		manifest.E("hostname", n.Host).From("%s: the host that its certificate has", p.at("/nodes/"+n.Name)),
		manifest.E("working_dir", home),
		manifest.E("entrypoint", []string{"/bin/sh", "start.sh"}),
		manifest.E("environment", manifest.Map{
			manifest.E("FORMAT", format).From("arguments of kafka-storage.sh format, before the first start"),
			manifest.E("BROKER_HEAP", "-Xms768m -Xmx768m").From("of the broker alone: the health check is a program of its own"),
			manifest.E("BROKER_OPTS", fmt.Sprintf("-javaagent:/opt/jmx/agent.jar=%d:/kafka/jmx.yaml", metricsPort)).From("the JMX exporter"),
			manifest.E("KAFKA_JVM_PERFORMANCE_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC").From("of the health check, which lives for a second or two"),
			manifest.E("LOG_DIR", "/tmp/logs"),
		}),
		manifest.E("volumes", []any{
			readOnly("kafka/start.sh", home+"/start.sh"), readOnly("kafka/jmx.yaml", home+"/jmx.yaml"), readOnly("kafka/log4j2.yaml", home+"/log4j2.yaml"),
			readOnly("kafka/"+n.Name+"/server.properties", home+"/server.properties"),
			readOnly("kafka/"+n.Name+"/health.properties", home+"/health.properties"),
			p.data(n.Name, home+"/data"),
		}),
		manifest.E("secrets", []any{
			p.secret(n.Name+"-keystore", n.Name+"/keystore.pem", home+"/tls/keystore.pem"),
			p.secret(n.Name+"-truststore", n.Name+"/truststore.pem", home+"/tls/truststore.pem"),
		}),
		java(),
		manifest.If(len(ports) > 0, manifest.E("ports", ports)),
		manifest.E("networks", known(n)).From("one, so that the host that it listens at has one address"),
		manifest.E("stop_grace_period", "60s").From("a broker hands its partitions over before it goes"),
		manifest.E("healthcheck", check),
	)
}

// known are a node's networks, in which it is found by its host as well as by its
// name.
func known(n broker.Node) any {
	if n.Host == n.Name {
		return []string{"kafka"}
	}
	return aliased(n.Host, []string{"kafka"})
}

// bootstrap are the addresses at which containers find the brokers.
func (p *project) bootstrap(port int) string {
	var all []string
	for _, n := range p.kafka.Nodes {
		if n.Broker {
			all = append(all, fmt.Sprintf("%s:%d", n.Host, port))
		}
	}
	return strings.Join(all, ",")
}

// nodeNames are those of the nodes, in order.
func (p *project) nodeNames() []string {
	var all []string
	for _, n := range p.kafka.Nodes {
		all = append(all, n.Name)
	}
	return all
}
