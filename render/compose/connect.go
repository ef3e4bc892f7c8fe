package compose

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// connect adds Kafka Connect with Debezium, if clusters.yaml has it.
func (p *project) connect() error {
	entry := p.kafka.Entry.Connect
	if entry == nil {
		return p.connectors()
	}
	port, err := p.port(entry.URL, "/connect")
	if err == nil && !slices.Contains(p.r.External.Principals, "User:"+entry.Principal) {
		err = diag.New(diag.RenderComposePart, "the workers of Kafka Connect have no certificate").
			At(p.r.Clusters.Position("clusters/"+p.kafka.Entry.Name+"/connect")).
			WithFix("write connect: {url: %q, principal: connect}, and principals: [\"User:connect\"] in external.yaml", entry.URL)
	}
	if err != nil {
		return err
	}
	p.file("connect/connect.properties", []byte(fmt.Sprintf(connectProperties, p.bootstrap(containersPort), p.kafka.Entry.Defaults.Replicas)+connectLogins()))
	p.file("connect/rights.sh", []byte(fmt.Sprintf(connectRights, p.bootstrap(containersPort), entry.Principal, p.kafka.Entry.Defaults.Replicas)))
	p.rights()
	p.gate(gate{name: "connect", port: port, back: net.JoinHostPort("127.0.0.1", "8083")}, "connect", "kafka", "database")
	deps := after("connect-gate")
	deps = append(deps, manifest.E("connect-rights", manifest.Map{manifest.E("condition", "service_completed_successfully")}))
	p.service("connect", limits{cpu: 2000, memory: 1536 << 20},
		manifest.E("image", connectImage),
		manifest.E("network_mode", "service:connect-gate").From("so that its REST API is reached through the gate alone"),
		manifest.E("working_dir", home),
		manifest.E("entrypoint", []string{"/kafka/bin/connect-distributed.sh", "/etc/connect/connect.properties"}),
		manifest.E("environment", manifest.Map{
			manifest.E("KAFKA_HEAP_OPTS", "-Xmx768m"),
			manifest.E("KAFKA_LOG4J_OPTS", "-Dlog4j2.configurationFile=/etc/connect/log4j2.yaml").From("the image has its own where only its entrypoint finds it, and that one writes files"),
			manifest.E("LOG_DIR", "/tmp/logs"),
		}),
		manifest.E("volumes", []any{
			readOnly("connect/connect.properties", "/etc/connect/connect.properties"), readOnly("kafka/log4j2.yaml", "/etc/connect/log4j2.yaml"),
		}),
		manifest.E("secrets", append([]any{
			p.secret("connect-keystore", "connect/keystore.pem", "/run/secrets/keystore.pem"),
			p.secret("connect-truststore", "connect/truststore.pem", "/run/secrets/truststore.pem"),
		}, p.databaseSecrets()...)),
		java(),
		manifest.E("depends_on", deps),
		manifest.E("healthcheck", healthcheck("90s", "curl", "-fsS", "http://127.0.0.1:8083/connectors")),
	)
	return nil
}

// connectors refuses contracts with connectors that nothing would run.
func (p *project) connectors() error {
	for _, svc := range p.r.Services {
		if len(svc.Connectors) > 0 {
			return diag.New(diag.RenderComposePart, "service %s has connectors, and cluster %s no Kafka Connect to run them", svc.Name, p.kafka.Entry.Name).
				At(p.r.Clusters.Position("clusters/" + p.kafka.Entry.Name)).
				WithFix(`add connect: {url: "https://localhost:8083", principal: connect}`)
		}
	}
	return nil
}

// connectLogins are how the worker itself and what it writes and reads for
// connectors log in: each of the three has settings of its own.
func connectLogins() string {
	var b strings.Builder
	for _, prefix := range []string{"", "producer.", "consumer.", "admin."} {
		fmt.Fprintf(&b, "%[1]ssecurity.protocol=SSL\n%[1]sssl.keystore.type=PEM\n%[1]sssl.keystore.location=/run/secrets/keystore.pem\n%[1]sssl.truststore.type=PEM\n%[1]sssl.truststore.location=/run/secrets/truststore.pem\n", prefix)
	}
	return b.String()
}

const connectProperties = `# A worker of Kafka Connect.
# Rendered by slipway render compose: an edit is noticed, and not kept.
bootstrap.servers=%s
group.id=connect
# Its topics are made by connect/rights.sh.
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=%[2]d
offset.storage.replication.factor=%[2]d
status.storage.replication.factor=%[2]d
topic.creation.enable=false
# The REST API has no login of its own; the gate in front of it has.
listeners=http://127.0.0.1:8083
plugin.path=/kafka/connect
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
# Connectors name secrets as ${directory:/run/secrets:NAME}, and never hold them;
# the provider reads below /run/secrets and nowhere else.
config.providers=directory
config.providers.directory.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.directory.param.allowed.paths=/run/secrets
# Connectors may not log in as somebody else.
connector.client.config.override.policy=None
`

const connectRights = `#!/bin/sh
# What the workers of Kafka Connect need before they start: their three topics, and
# the rights on them and on their group. Everything here can be run again.
# Rendered by slipway render compose: an edit is noticed, and not kept.
set -eu
bin=${KAFKA_BIN:-/opt/kafka/bin}
brokers=%s
as="--bootstrap-server $brokers --command-config admin.properties"
for topic in connect-configs:1 connect-offsets:25 connect-status:5; do
  # shellcheck disable=SC2086
  "$bin/kafka-topics.sh" $as --create --if-not-exists --topic "${topic%%%%:*}" \
    --partitions "${topic##*:}" --replication-factor %[3]d --config cleanup.policy=compact
  # shellcheck disable=SC2086
  "$bin/kafka-acls.sh" $as --add --force --allow-principal User:%[2]s \
    --operation Read --operation Write --operation DescribeConfigs --topic "${topic%%%%:*}"
done
# shellcheck disable=SC2086
"$bin/kafka-acls.sh" $as --add --force --allow-principal User:%[2]s --operation Read --group connect
`

// rights adds the container that prepares the cluster for Kafka Connect, once.
func (p *project) rights() {
	p.file("kafka/admin.properties", []byte(loginProperties("How connect-rights logs in: with the administrator's certificate.")))
	p.service("connect-rights", limits{cpu: 1000, memory: 512 << 20},
		manifest.E("image", kafkaImage),
		manifest.E("pull_policy", "never"),
		manifest.E("working_dir", home),
		manifest.E("entrypoint", []string{"/bin/sh", "rights.sh"}),
		manifest.E("restart", "on-failure"),
		manifest.E("environment", manifest.Map{manifest.E("LOG_DIR", "/tmp/logs")}),
		manifest.E("volumes", []any{
			readOnly("connect/rights.sh", home+"/rights.sh"), readOnly("kafka/admin.properties", home+"/admin.properties"),
		}),
		manifest.E("secrets", []any{
			p.secret("admin-keystore", "admin/keystore.pem", home+"/tls/keystore.pem"),
			p.secret("admin-truststore", "admin/truststore.pem", home+"/tls/truststore.pem"),
		}),
		java(),
		manifest.E("networks", []string{"kafka"}),
		manifest.E("depends_on", after(p.nodeNames()...)),
	)
}
