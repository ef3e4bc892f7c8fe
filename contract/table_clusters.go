package contract

import (
	"maps"
	"slices"
	"time"
)

// The tables of clusters.yaml. They are functions and not variables, so that a
// service, which never reads that file, does not hold them: what a variable is made
// of is in every program.
func clustersType() typ[Clusters] {
	return object(
		at("apiVersion", literal(APIVersion), func(*Clusters) *string { return new(string) }, "The version of this format.", required),
		at("kind", literal(clustersKind), func(*Clusters) *string { return new(string) }, "That this file lists the estate's clusters.", required),
		at("clusters", mapOf(aliasNames, clusterType(), func(c *Cluster, name string) { c.Name = name }), func(c *Clusters) *map[string]*Cluster { return &c.Clusters },
			"The clusters. embedded and local need no entry."),
		at("environments", mapOf(environmentNames, environmentType(), func(*map[string]*Binding, string) {}), func(c *Clusters) *map[string]*map[string]*Binding { return &c.bindings },
			"The environments, and what each alias is in them.", required),
		at("platform", mapOf(environmentNames, platformType(), func(p *Platform, env string) { p.Environment = env }), func(c *Clusters) *map[string]*Platform { return &c.Platforms },
			"Where the services of an environment run, for slipway render. An environment that is not listed has the defaults."),
		at("naming", namingType(), func(c *Clusters) *Clusters { return c }, "The estate's rules for names."),
	)
}

func environmentType() typ[map[string]*Binding] {
	return mapOf(aliasNames, bindingType(), func(*Binding, string) {})
}

func bindingType() typ[Binding] {
	return object(
		at("cluster", aliasNames.typ(), func(b *Binding) *string { return &b.Cluster }, "The cluster: one of this file, embedded or local.", required),
		at("topicPrefix", matching("topic prefix", `^[a-zA-Z0-9._-]+$`, 60, "use letters, digits, '.', '_' and '-'"), func(b *Binding) *string { return &b.TopicPrefix },
			"What every topic of the environment begins with, where several environments share a cluster."),
	).orJust("cluster")
}

func namingType() typ[Clusters] {
	return object(
		at("topic", text(255), func(c *Clusters) *string { return &c.naming }, "The regular expression that every owned topic's name matches.", def(DefaultTopicNaming)),
	)
}

func clusterType() typ[Cluster] {
	return object(
		at("id", matching("cluster id", `^[A-Za-z0-9_-]+$`, 64, "copy it from kafka-cluster.sh cluster-id"), func(c *Cluster) *string { return &c.ID }, "The cluster's id; a plan against a cluster with another id is refused.", required),
		at("bootstrap", bootstrapType(), func(c *Cluster) *Bootstrap { return &c.Bootstrap }, "The addresses by way of authenticating, each host:port or several with commas. All of them use TLS.", required),
		at("ca", fileType(), func(c *Cluster) *FileRef { return &c.CA }, "The certificate authority of the brokers. Absent means the system's."),
		at("registry", optional(registryType()), func(c *Cluster) **Registry { return &c.Registry }, "The schema registry, which speaks Confluent's API."),
		at("connect", optional(connectType()), func(c *Cluster) **Connect { return &c.Connect }, "The Kafka Connect REST API."),
		at("defaults", defaultsType(), func(c *Cluster) *Defaults { return &c.Defaults }, "What topics get that do not say otherwise."),
		at("cidrs", setOf(text(64)), func(c *Cluster) *[]string { return &c.CIDRs }, "The networks that the brokers are in."),
		at("nodes", nodesType(), func(c *Cluster) *[]Node { return &c.Nodes }, "The brokers and controllers, by the name that their certificates have."),
		at("pki", pkiType(), func(c *Cluster) *PKI { return &c.PKI }, "What the certificates look like that slipway pki issues."),
	)
}

// nodesType is a mapping by name that is read into a list, sorted by name.
func nodesType() typ[[]Node] {
	byName := mapOf(nodeNames, nodeType(), func(n *Node, name string) { n.Name = name })
	return typ[[]Node]{&kind{shape: byName.shape, read: func(d *decoder, n *node, into any) {
		var nodes map[string]*Node
		byName.read(d, n, &nodes)
		list := into.(*[]Node)
		for _, name := range slices.Sorted(maps.Keys(nodes)) {
			*list = append(*list, *nodes[name])
		}
	}}}
}

func nodeType() typ[Node] {
	return object(
		at("roles", setOf(oneOf(BrokerRole, ControllerRole)), func(n *Node) *[]string { return &n.Roles }, "What it does: broker, controller or both, as its process.roles say.", def(BrokerRole)),
		at("hosts", setOf(text(253)), func(n *Node) *[]string { return &n.Hosts }, "The host names and IP addresses that clients and other nodes dial it by, without ports. What bootstrap names is added to every broker.", required),
	)
}

const day = 24 * time.Hour

func pkiType() typ[PKI] {
	return object(
		at("key", oneOf("ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096"), func(p *PKI) *string { return &p.Key }, "The kind of keys. RSA is for peers that know nothing else.", def("ecdsa-p256")),
		at("clients", duration(time.Minute, 90*day), func(p *PKI) *time.Duration { return &p.Clients }, "How long the certificate of a service or an administrator lives. Brokers know no revocation lists, so this bounds how long a stolen key is of use.", def("30d")),
		at("brokers", duration(time.Minute, 90*day), func(p *PKI) *time.Duration { return &p.Brokers }, "How long the certificate of a broker or controller lives.", def("90d")),
		at("principals", text(2000), func(p *PKI) *string { return &p.Principals }, "The brokers' ssl.principal.mapping.rules, which make principals of certificates.", def(DefaultPrincipals)),
	)
}

func bootstrapType() typ[Bootstrap] {
	return object(
		at("mtls", text(2000), func(b *Bootstrap) *string { return &b.MTLS }, "For client certificates."),
		at("scram", text(2000), func(b *Bootstrap) *string { return &b.SCRAM }, "For SCRAM."),
		at("plain", text(2000), func(b *Bootstrap) *string { return &b.Plain }, "For SASL/PLAIN, in dev."),
	)
}

func fileType() typ[FileRef] {
	return object(
		at("file", text(255), func(f *FileRef) *string { return &f.File }, "A file, relative to clusters.yaml and not outside of its directory.", required),
	).orJust("file")
}

func registryType() typ[Registry] {
	return object(
		at("url", text(2000), func(r *Registry) *string { return &r.URL }, "Its address.", required),
		at("auth", oneOf("none", "basic", "mtls"), func(r *Registry) *string { return &r.Auth }, "How to authenticate.", def("none")),
	).orJust("url")
}

func connectType() typ[Connect] {
	return object(
		at("url", text(2000), func(c *Connect) *string { return &c.URL }, "Its address.", required),
		at("principal", matching("principal without User:", `^[^\s:*]+$`, 255, "write the name alone, without User: and without *"), func(c *Connect) *string { return &c.Principal }, "Who the workers log in as, without User: in front. They are given the right to write what outboxes relay through them. Absent means that they have their rights from elsewhere."),
	).orJust("url")
}

func defaultsType() typ[Defaults] {
	return object(
		at("partitions", integer(1, maxPartitions), func(d *Defaults) *int { return &d.Partitions }, "Partitions of a topic.", def("6")),
		at("replicas", integer(1, 100), func(d *Defaults) *int { return &d.Replicas }, "Brokers that hold each partition.", def("3")),
		at("min.insync.replicas", integer(1, 100), func(d *Defaults) *int { return &d.MinInsyncReplicas }, "Replicas that must have a record before it is acknowledged. Absent means 2, or 1 where there are fewer than three replicas."),
	)
}
