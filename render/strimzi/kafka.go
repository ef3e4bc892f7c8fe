package strimzi

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/render/manifest"
)

// metadataVolume is the disk of a node that is a controller alone. Kafka's
// documentation calls 5 GB sufficient for most clusters.
const metadataVolume = "10Gi"

// controllerMemory and controllerCPU are of a node that is a controller alone.
const (
	controllerMemory = "4Gi"
	controllerCPU    = "1"
)

// kafka is the cluster itself, where clusters.yaml says what its nodes are given.
func (d *derivation) kafka() error {
	nodes := d.platform.Strimzi.Nodes
	if nodes == nil {
		return nil
	}
	pools, err := d.pools()
	if err != nil {
		return err
	}
	listeners, err := d.listeners()
	if err != nil {
		return err
	}
	name := d.platform.Strimzi.Cluster
	spec := manifest.Map{
		manifest.E("version", nodes.Version).From("%s", d.at("strimzi/nodes/version")),
		manifest.E("listeners", listeners),
		manifest.E("authorization", manifest.Map{manifest.E("type", "simple")}).From("nobody may anything that no ACL allows"),
		manifest.E("config", d.config()),
		manifest.If(nodes.Rack != "", manifest.E("rack", manifest.Map{manifest.E("topologyKey", nodes.Rack)}).
			From("%s: no two replicas of a partition in one zone while there are others", d.at("strimzi/nodes/rack"))),
		manifest.E("metricsConfig", manifest.Map{
			manifest.E("type", "strimziMetricsReporter").From("on port 9404 of each node; the reporter is part of Strimzi's image"),
			manifest.E("values", manifest.Map{manifest.E("allowList", metrics)}),
		}),
	}
	entity := manifest.Map{manifest.E("topicOperator", manifest.Map{}), manifest.E("userOperator", manifest.Map{})}
	object := d.object("Kafka", name, d.labels(), manifest.E("spec", manifest.Map{
		manifest.E("kafka", spec),
		manifest.E("entityOperator", entity).From("what makes the topics and users beside this file"),
		manifest.E("clientsCa", d.clients()).From("who signs the certificates of services, and not Strimzi"),
	}))
	object = annotated(object, manifest.E("argocd.argoproj.io/sync-options", "Prune=false").From("a cluster does not go by the way"))
	d.add("cluster.yaml", "The cluster "+d.cluster.Name+" of clusters.yaml. With this object the brokers go; their volumes stay.", object)
	for _, p := range pools {
		d.pool(p)
	}
	return nil
}

// at is the place of an element of the environment's platform.
func (d *derivation) at(element string) string {
	return manifest.AtClusters(d.estate.Clusters, "platform/"+d.estate.Env+"/"+element)
}

// of is the place of an element of the cluster.
func (d *derivation) of(element string) string {
	return manifest.AtClusters(d.estate.Clusters, "clusters/"+d.cluster.Name+"/"+element)
}

// labels are those of what belongs to no service.
func (d *derivation) labels() manifest.Map {
	return manifest.Map{
		manifest.E(manifest.NameLabel, d.platform.Strimzi.Cluster),
		manifest.E(manifest.ManagedByLabel, "slipway"),
		manifest.E(manifest.OwnerLabel, "platform").From("whoever keeps clusters.yaml"),
	}
}

// config is what makes a cluster keep what it has acknowledged.
func (d *derivation) config() manifest.Map {
	replicas, insync := d.cluster.Defaults.Replicas, d.cluster.Defaults.MinInsyncReplicas
	return manifest.Map{
		manifest.E("auto.create.topics.enable", false).From("topics are those of contracts"),
		manifest.E("default.replication.factor", replicas).From("%s", d.of("defaults/replicas")),
		manifest.E("min.insync.replicas", insync).From("%s", d.of("defaults/min.insync.replicas")),
		manifest.E("num.partitions", d.cluster.Defaults.Partitions).From("%s", d.of("defaults/partitions")),
		manifest.E("offsets.topic.replication.factor", replicas),
		manifest.E("transaction.state.log.replication.factor", replicas),
		manifest.E("transaction.state.log.min.isr", insync),
		manifest.E("unclean.leader.election.enable", false),
		manifest.E("ssl.enabled.protocols", "TLSv1.3,TLSv1.2"),
	}
}

// clients says that certificates of services are not Strimzi's to sign.
func (d *derivation) clients() any {
	if d.platform.Credentials.From == contract.FromSecret || !d.certificates() {
		return nil
	}
	return manifest.Map{manifest.E("generateCertificateAuthority", false).
		From("Strimzi wants Secrets %[1]s-clients-ca-cert (ca.crt) and %[1]s-clients-ca (ca.key); with tls-external it signs nothing", d.platform.Strimzi.Cluster)}
}

// certificates reports whether any service logs in by mTLS.
func (d *derivation) certificates() bool {
	return slices.ContainsFunc(d.estate.Services, func(s *contract.Service) bool { return s.AuthOn(d.cluster.Name) == contract.MTLS })
}

// listeners are those that bootstrap names. All of them encrypt and ask who it is.
func (d *derivation) listeners() ([]manifest.Map, error) {
	var all []manifest.Map
	var faults diag.List
	ports := map[int]bool{}
	for _, l := range []struct {
		name, addresses string
		auth            manifest.Map
	}{
		{"mtls", d.cluster.Bootstrap.MTLS, manifest.Map{manifest.E("type", "tls")}},
		{"scram", d.cluster.Bootstrap.SCRAM, d.scram()},
	} {
		if l.addresses == "" {
			continue
		}
		element := "clusters/" + d.cluster.Name + "/bootstrap/" + l.name
		hosts, port, fault := d.address(l.addresses)
		if fault == "" && ports[port] {
			fault = fmt.Sprintf("port %d is that of another listener, too", port)
		}
		if fault != "" {
			faults.Add(diag.New(diag.RenderStrimziListener, "%s: %s", l.addresses, fault).At(d.estate.Clusters.Position(element)))
			continue
		}
		ports[port] = true
		var names any
		if len(hosts) > 0 {
			names = manifest.Map{manifest.E("bootstrap", manifest.Map{manifest.E("alternativeNames", hosts).
				From("%s; the brokers' certificates are good for it, and whoever runs the DNS lets it lead to them", d.of("bootstrap/"+l.name))})}
		}
		all = append(all, manifest.Map{
			manifest.E("name", l.name), manifest.E("port", port).From("%s", d.of("bootstrap/"+l.name)),
			manifest.E("type", "internal"), manifest.E("tls", true),
			manifest.E("authentication", l.auth),
			manifest.E("configuration", names),
		})
	}
	for _, svc := range d.estate.Services {
		if svc.AuthOn(d.cluster.Name) == contract.Plain {
			faults.Add(diag.New(diag.RenderStrimziListener, "service %s logs in with plain, and brokers would have to know its password from a file", svc.Name).At(svc.Position("identity/auth")))
		}
	}
	return all, faults.Err()
}

// scram is how passwords are asked for. SCRAM-SHA-256, which Strimzi has no type for,
// is let in beside the other where a service uses it.
func (d *derivation) scram() manifest.Map {
	old := slices.IndexFunc(d.estate.Services, func(s *contract.Service) bool { return s.AuthOn(d.cluster.Name) == contract.SCRAMSHA256 })
	if old < 0 {
		return manifest.Map{manifest.E("type", "scram-sha-512")}
	}
	const module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	return manifest.Map{
		manifest.E("type", "custom").From("for %s, which logs in with scram-sha-256 (%s)", d.estate.Services[old].Name, manifest.At(d.estate.Services[old], "identity/auth")),
		manifest.E("sasl", true),
		manifest.E("listenerConfig", manifest.Map{
			manifest.E("sasl.enabled.mechanisms", "SCRAM-SHA-512,SCRAM-SHA-256"),
			manifest.E("scram-sha-512.sasl.jaas.config", module),
			manifest.E("scram-sha-256.sasl.jaas.config", module),
		}),
	}
}

// address is what bootstrap says of a listener: one port, and the hosts that are not
// Strimzi's own service.
func (d *derivation) address(addresses string) (hosts []string, port int, fault string) {
	own := d.platform.Strimzi.Cluster + "-kafka-bootstrap." + d.platform.Strimzi.Namespace
	for address := range strings.SplitSeq(addresses, ",") {
		host, text, err := net.SplitHostPort(strings.TrimSpace(address))
		n, numeral := strconv.Atoi(text)
		switch {
		case err != nil || numeral != nil:
			return nil, 0, "it is not host:port"
		case n < 9092 || n == 9404 || n == 9999:
			return nil, 0, fmt.Sprintf("port %d is not one of 9092 or more, or is Strimzi's own (9404, 9999)", n)
		case port != 0 && n != port:
			return nil, 0, "the ports differ, and all brokers of Strimzi listen on the same one"
		}
		port = n
		if rest, internal := strings.CutPrefix(host, own); !internal || rest != "" && rest != ".svc" && rest != ".svc.cluster.local" {
			hosts = append(hosts, host)
		}
	}
	return hosts, port, ""
}

// metrics are the families that a dashboard of brokers is made of.
var metrics = []string{"kafka_controller.*", "kafka_server.*", "kafka_network.*", "kafka_log.*", "jvm.*"}
