package contract

// The tables of clusters.yaml.
var clustersType = object(
	at("apiVersion", literal(APIVersion), func(*Clusters) *string { return new(string) }, "The version of this format.", required),
	at("kind", literal(clustersKind), func(*Clusters) *string { return new(string) }, "That this file lists the estate's clusters.", required),
	at("clusters", mapOf(aliasNames, clusterType, func(c *Cluster, name string) { c.Name = name }), func(c *Clusters) *map[string]*Cluster { return &c.Clusters },
		"The clusters. embedded and local need no entry."),
	at("environments", mapOf(environmentNames, environmentType, func(*map[string]*Binding, string) {}), func(c *Clusters) *map[string]*map[string]*Binding { return &c.bindings },
		"The environments, and what each alias is in them.", required),
	at("naming", namingType, func(c *Clusters) *Clusters { return c }, "The estate's rules for names."),
)

var environmentType = mapOf(aliasNames, bindingType, func(*Binding, string) {})

var bindingType = object(
	at("cluster", aliasNames.typ(), func(b *Binding) *string { return &b.Cluster }, "The cluster: one of this file, embedded or local.", required),
	at("topicPrefix", matching("topic prefix", `^[a-zA-Z0-9._-]+$`, 60, "use letters, digits, '.', '_' and '-'"), func(b *Binding) *string { return &b.TopicPrefix },
		"What every topic of the environment begins with, where several environments share a cluster."),
).orJust("cluster")

var namingType = object(
	at("topic", text(255), func(c *Clusters) *string { return &c.naming }, "The regular expression that every owned topic's name matches.", def(DefaultTopicNaming)),
)

var clusterType = object(
	at("id", matching("cluster id", `^[A-Za-z0-9_-]+$`, 64, "copy it from kafka-cluster.sh cluster-id"), func(c *Cluster) *string { return &c.ID }, "The cluster's id; a plan against a cluster with another id is refused.", required),
	at("bootstrap", bootstrapType, func(c *Cluster) *Bootstrap { return &c.Bootstrap }, "The addresses by way of authenticating, each host:port or several with commas. All of them use TLS.", required),
	at("ca", fileType, func(c *Cluster) *FileRef { return &c.CA }, "The certificate authority of the brokers. Absent means the system's."),
	at("registry", optional(registryType), func(c *Cluster) **Registry { return &c.Registry }, "The schema registry, which speaks Confluent's API."),
	at("connect", optional(connectType), func(c *Cluster) **Connect { return &c.Connect }, "The Kafka Connect REST API."),
	at("defaults", defaultsType, func(c *Cluster) *Defaults { return &c.Defaults }, "What topics get that do not say otherwise."),
	at("cidrs", setOf(text(64)), func(c *Cluster) *[]string { return &c.CIDRs }, "The networks that the brokers are in."),
)

var bootstrapType = object(
	at("mtls", text(2000), func(b *Bootstrap) *string { return &b.MTLS }, "For client certificates."),
	at("scram", text(2000), func(b *Bootstrap) *string { return &b.SCRAM }, "For SCRAM."),
	at("plain", text(2000), func(b *Bootstrap) *string { return &b.Plain }, "For SASL/PLAIN, in dev."),
)

var fileType = object(
	at("file", text(255), func(f *FileRef) *string { return &f.File }, "A file, relative to clusters.yaml and not outside of its directory.", required),
).orJust("file")

var registryType = object(
	at("url", text(2000), func(r *Registry) *string { return &r.URL }, "Its address.", required),
	at("auth", oneOf("none", "basic", "mtls"), func(r *Registry) *string { return &r.Auth }, "How to authenticate.", def("none")),
).orJust("url")

var connectType = object(
	at("url", text(2000), func(c *Connect) *string { return &c.URL }, "Its address.", required),
).orJust("url")

var defaultsType = object(
	at("partitions", integer(1, maxPartitions), func(d *Defaults) *int { return &d.Partitions }, "Partitions of a topic.", def("6")),
	at("replicas", integer(1, 100), func(d *Defaults) *int { return &d.Replicas }, "Brokers that hold each partition.", def("3")),
	at("min.insync.replicas", integer(1, 100), func(d *Defaults) *int { return &d.MinInsyncReplicas }, "Replicas that must have a record before it is acknowledged. Absent means 2, or 1 where there are fewer than three replicas."),
)
