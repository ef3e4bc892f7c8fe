package broker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-go/slipway/pki/keystore"
)

// A Place is where a node's files are on the machine that it runs on.
//
// Defaults to [DefaultPlace] as a whole.
type Place struct {
	TLS  string // the directory of keystore.pem and truststore.pem
	Data string // of the log

	// Bind is the address that listeners are bound to. Empty means all of the
	// machine's.
	Bind string
}

// DefaultPlace is where the files of a node are on a machine of its own.
var DefaultPlace = Place{TLS: "/etc/kafka/tls", Data: "/var/lib/kafka/data"}

// Properties are the settings of a node, in sections.
func (c *Cluster) Properties(n Node, place Place) []Section {
	sections := []Section{
		{"who this is", c.identity(n, place)},
		{"where it listens", c.listening(n, place)},
		{"TLS on every listener", c.tls(n, place)},
	}
	if c.password(n) {
		sections = append(sections, Section{"passwords", c.sasl(n)})
	}
	return append(sections,
		Section{"who may do what", c.rights()},
		Section{"topics", c.topics(n)},
		Section{"bounds", c.bounds(n)},
		Section{"metrics", []Setting{{"metric.reporters", "org.apache.kafka.common.metrics.JmxReporter",
			"Metrics are beans that an agent within the process turns into Prometheus' form; no JMX port is opened, which anybody could call methods at."}}})
}

// File is server.properties of a node.
func (c *Cluster) File(n Node, place Place) []byte {
	return page(c.head(n, place), c.Properties(n, place))
}

func (c *Cluster) head(n Node, place Place) []string {
	kind := "controller"
	if n.Broker {
		kind = "broker"
	}
	return []string{
		fmt.Sprintf("%s of the cluster %s, from %s.", n.Name, c.Entry.Name, c.from("/nodes/"+n.Name)),
		"Rendered by slipway render: an edit is noticed, and not kept.",
		"",
		"Its certificate, on the machine that has the PKI; copy what is in the directory:",
		fmt.Sprintf("  slipway pki export %s/%s -c %s --format pem --out %s --at %s", kind, n.Name, c.Entry.Name, n.Name, place.TLS),
		"Its storage, once, before the first start:",
		"  kafka-storage.sh format " + strings.Join(c.Formatting(n), " ") + " --config server.properties",
	}
}

func (c *Cluster) identity(n Node, place Place) []Setting {
	var roles, quorum []string
	if n.Broker {
		roles = append(roles, "broker")
	}
	if n.Controller {
		roles = append(roles, "controller")
	}
	for _, other := range c.Nodes {
		if other.Controller {
			quorum = append(quorum, hostPort(other.Host, controllerPort))
		}
	}
	return []Setting{
		{"process.roles", strings.Join(roles, ","), "KRaft: controllers keep the metadata, and there is no ZooKeeper. From " + c.from("/nodes/"+n.Name+"/roles") + "."},
		{"node.id", strconv.Itoa(n.ID), "The number at the end of the node's name: it stays what it is when nodes are added."},
		{"controller.quorum.bootstrap.servers", strings.Join(quorum, ","), "Where to ask who votes. Voters are kept in the metadata (KIP-853), so a controller can be replaced without restarting the others; controller.quorum.voters could not."},
		{"log.dirs", place.Data, "A disk of its own, which outlives the process."},
	}
}

func (c *Cluster) listening(n Node, place Place) []Setting {
	var listen, advertise, protocols []string
	for _, l := range n.Listeners {
		listen = append(listen, l.Name+"://"+hostPort(place.Bind, l.Port))
		advertise = append(advertise, l.Name+"://"+hostPort(l.Host, l.Port))
	}
	protocols = append(protocols, controllerListener+":SSL")
	for _, l := range n.Listeners {
		switch {
		case l.SASL:
			protocols = append(protocols, l.Name+":SASL_SSL")
		case l.Name != controllerListener:
			protocols = append(protocols, l.Name+":SSL")
		}
	}
	settings := []Setting{
		{"listeners", strings.Join(listen, ","), "A port for each role, and none without TLS. " + purposes(n)},
		{"advertised.listeners", strings.Join(advertise, ","), "What clients are told to dial; the node's certificate has each of these hosts, so that who dials can tell that it is this node."},
		{"listener.security.protocol.map", strings.Join(protocols, ","), "SSL is a certificate on both sides, SASL_SSL a password within TLS. Nothing is PLAINTEXT, the controllers least of all: whoever speaks to them can change everything."},
		{"controller.listener.names", controllerListener, "Which listener is the controllers'."},
	}
	if n.Broker {
		settings = append(settings, Setting{"inter.broker.listener.name", internalListener, "Brokers come to one another by certificate."})
	}
	return settings
}

func purposes(n Node) string {
	var all []string
	for _, l := range n.Listeners {
		all = append(all, l.Name+": "+l.Why)
	}
	return strings.Join(all, ". ") + "."
}

func (c *Cluster) tls(n Node, place Place) []Setting {
	files := keystore.Files{Format: keystore.PEM, Dir: place.TLS}
	why := map[string]string{
		"ssl.keystore.type":       "PEM has no password that would have to lie beside it; the directory is readable by Kafka alone.",
		"ssl.keystore.location":   "The key, the certificate and the issuer above it. slipway pki reload has Kafka read it again without a restart.",
		"ssl.truststore.type":     "As above.",
		"ssl.truststore.location": "The cluster's own authority, and no other: a public one would vouch for names that nobody here gave.",
	}
	lines, err := files.Properties()
	if err != nil {
		panic(fmt.Sprintf("broker: %v", err)) // a place is the caller's constant
	}
	var settings []Setting
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "=")
		settings = append(settings, Setting{key, value, why[key]})
	}
	settings = append(settings,
		Setting{"ssl.enabled.protocols", "TLSv1.3,TLSv1.2", "Older versions have known attacks."},
		Setting{"ssl.cipher.suites", suites, "Of TLS 1.2 only suites with forward secrecy and authenticated encryption: who records traffic and steals a key later reads nothing."},
		Setting{"ssl.client.auth", "required", "Who connects shows a certificate; requested would let anybody in who has none, as ANONYMOUS."},
		Setting{"ssl.endpoint.identification.algorithm", "https", "As a client of other nodes this one checks the host in their certificates. An empty value would turn that off."},
		Setting{"ssl.principal.mapping.rules", c.Entry.PKI.Principals, "How a certificate becomes the name that ACLs know; " + c.from("/pki/principals") + "."})
	for _, l := range n.Listeners {
		if l.SASL {
			settings = append(settings, Setting{prefix(l) + "ssl.client.auth", "none", "Here a password says who it is; a certificate beside it would be a second answer."})
		}
	}
	return settings
}

// suites are those of TLS 1.3 and the AEAD suites with ECDHE of 1.2: ECDSA for
// the keys that slipway pki makes, RSA for those that it takes over.
const suites = "TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256,TLS_CHACHA20_POLY1305_SHA256," +
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256," +
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"

func prefix(l Listener) string { return "listener.name." + strings.ToLower(l.Name) + "." }

// password reports whether the node has a listener for passwords.
func (c *Cluster) password(n Node) bool {
	return slices.ContainsFunc(n.Listeners, func(l Listener) bool { return l.SASL })
}

func (c *Cluster) sasl(n Node) []Setting {
	settings := []Setting{
		{"sasl.enabled.mechanisms", strings.Join(c.Mechanisms, ","), "Salted hashes in the metadata: a broker never learns a password. PLAIN would send it, and keep it in a file."},
		{"connections.max.reauth.ms", "3600000", "Clients log in again every hour; without it a user who was deleted stays connected as long as the connection does."},
	}
	for _, l := range n.Listeners {
		if !l.SASL {
			continue
		}
		for _, m := range c.Mechanisms {
			settings = append(settings, Setting{prefix(l) + strings.ToLower(m) + ".sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required;",
				"Users are in the metadata, so no name and no password stands here."})
		}
	}
	return settings
}

func hostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
