package contract

// The tables of clusters.yaml's platform section, and of what a workload says of
// the traffic that it needs.
func platformType() typ[Platform] {
	return object(
		at("namespace", dnsLabel("namespace"), func(p *Platform) *string { return &p.Namespace }, "The namespace of the services. Absent means the environment's name."),
		at("monitoring", dnsLabel("namespace"), func(p *Platform) *string { return &p.Monitoring }, "The namespace that metrics are scraped from.", def("monitoring")),
		at("kafka", optional(peerType), func(p *Platform) **Peer { return &p.Kafka }, "Where the brokers of the cluster that alias default means are within the Kubernetes cluster. Absent means outside of it, in the networks that the cluster's cidrs name, as those of other clusters are."),
		at("registry", optional(peerType), func(p *Platform) **Peer { return &p.Registry }, "Where the schema registry of that cluster is. Absent means in the networks of the cluster's cidrs, as those of other clusters are."),
		at("telemetry", optional(telemetryType()), func(p *Platform) **Telemetry { return &p.Telemetry }, "Where traces and metrics are sent by OTLP. Absent means nowhere."),
		at("credentials", credentialsType(), func(p *Platform) *Credentials { return &p.Credentials }, "How keys and passwords reach the pods."),
		at("autoscaler", oneOf(KEDA, HPA), func(p *Platform) *Autoscaler { return &p.Autoscaler }, "What changes the number of instances: keda asks the brokers for the lag, hpa is Kubernetes' own and needs a metrics adapter.", def("keda")),
		at("reload", oneOf(ReloadLive, ReloadRestart), func(p *Platform) *Reload { return &p.Reload }, "What a change of the configuration does: live changes the mounted files, which services take over as they run; restart replaces the pods one after the other.", def("live")),
		at("pullSecrets", setOf(dnsLabel("secret")), func(p *Platform) *[]string { return &p.PullSecrets }, "The Secrets by which images are pulled."),
		at("storageClass", dnsLabel("storage class"), func(p *Platform) *string { return &p.StorageClass }, "The class of volumes. Absent means the Kubernetes cluster's default."),
		at("mesh", optional(meshType()), func(p *Platform) **Mesh { return &p.Mesh }, "The Istio mesh that the services are in. Absent means none."),
		at("gitops", optional(gitOpsType()), func(p *Platform) **GitOps { return &p.GitOps }, "Where the manifests are kept, for Argo CD."),
		at("strimzi", optional(strimziType()), func(p *Platform) **Strimzi { return &p.Strimzi }, "The Kafka that Strimzi runs, for its topics and users."),
	)
}

var peerType = object(
	at("namespace", dnsLabel("namespace"), func(p *Peer) *string { return &p.Namespace }, "The namespace of the pods. Absent means the service's own."),
	at("pods", mapOf(labelNames, labelType, func(*Label, string) {}), func(p *Peer) *map[string]*Label { return &p.Pods }, "The labels of the pods. Absent means every pod of the namespace."),
	at("cidrs", setOf(text(64)), func(p *Peer) *[]string { return &p.CIDRs }, "Networks outside of the Kubernetes cluster."),
	at("ports", setOf(integer(1, 65535)), func(p *Peer) *[]int { return &p.Ports }, "TCP ports. Absent means those of the addresses that lead there; where there is no address, they are required."),
)

var labelType = object(
	at("value", matching("value of a label", `^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$`, 63, "use letters, digits, '-', '_' and '.'"), func(l *Label) *string { return &l.Value }, "The value.", required),
).orJust("value")

func telemetryType() typ[Telemetry] {
	return object(
		at("endpoint", text(2000), func(t *Telemetry) *string { return &t.Endpoint }, "The address of the collector: http:// or https:// with host and port.", required),
		at("peer", peerType, func(t *Telemetry) *Peer { return &t.Peer }, "Where the collector is.", required),
	)
}

func credentialsType() typ[Credentials] {
	return object(
		at("from", oneOf(FromSecret, FromCertManager, FromExternalSecrets, FromVault), func(c *Credentials) *CredentialSource { return &c.From }, "What makes them: secret (somebody puts a Secret there), cert-manager, external-secrets, or vault (its agent writes files into the pod).", def("secret")),
		at("issuer", matching("kind/name", `^(Cluster)?Issuer/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`, 300, "write Issuer/name or ClusterIssuer/name"), func(c *Credentials) *string { return &c.Issuer }, "For cert-manager: who signs."),
		at("bundle", dnsLabel("ConfigMap"), func(c *Credentials) *string { return &c.Bundle }, "For cert-manager: the ConfigMap in the services' namespace whose ca.crt has the authorities of the brokers, those of every cluster, as trust-manager puts it there. Absent means that the issuer's own authority has signed the brokers, too."),
		at("store", matching("kind/name", `^(Cluster)?SecretStore/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`, 300, "write SecretStore/name or ClusterSecretStore/name"), func(c *Credentials) *string { return &c.Store }, "For external-secrets: the store."),
		at("path", text(500), func(c *Credentials) *string { return &c.Path }, "Where a service's secrets are in the store or in Vault, below this path as kafka, registry and database, and for other clusters kafka-<alias> and registry-<alias>; {service} and {environment} stand for the names.", def("kafka/{environment}/{service}")),
		at("role", text(200), func(c *Credentials) *string { return &c.Role }, "For vault: the role that the pod logs in with; {service} and {environment} stand for the names.", def("{service}-{environment}")),
		at("peer", optional(peerType), func(c *Credentials) **Peer { return &c.Peer }, "For vault: where it is, so that the agent in the pod may reach it, on port 8200 if none is named."),
	).orJust("from")
}

func meshType() typ[Mesh] {
	return object(
		at("namespace", dnsLabel("namespace"), func(m *Mesh) *string { return &m.Namespace }, "The namespace of the control plane.", def("istio-system")),
		at("issuer", text(500), func(m *Mesh) *string { return &m.Issuer }, "Who issues the tokens that callers show. Required where a service asks for scopes."),
		at("jwks", text(2000), func(m *Mesh) *string { return &m.JWKS }, "The https address of the issuer's keys."),
	)
}

func gitOpsType() typ[GitOps] {
	return object(
		at("repository", text(2000), func(g *GitOps) *string { return &g.Repository }, "The address of the repository that holds the manifests.", required),
		at("revision", text(255), func(g *GitOps) *string { return &g.Revision }, "The tag or commit that is deployed. A branch moves without anybody's decision.", required),
		at("path", text(500), func(g *GitOps) *string { return &g.Path }, "Where a service's overlay is in the repository; {service} and {environment} stand for the names.", def("deploy/{service}/overlays/{environment}")),
		at("namespace", dnsLabel("namespace"), func(g *GitOps) *string { return &g.Namespace }, "The namespace of Argo CD.", def("argocd")),
		at("project", dnsLabel("project"), func(g *GitOps) *string { return &g.Project }, "The AppProject. Absent means the namespace of the services."),
		at("server", text(2000), func(g *GitOps) *string { return &g.Server }, "The Kubernetes cluster.", def("https://kubernetes.default.svc")),
	)
}

func strimziType() typ[Strimzi] {
	return object(
		at("cluster", dnsLabel("Kafka"), func(s *Strimzi) *string { return &s.Cluster }, "The name of the Kafka object.", required),
		at("namespace", dnsLabel("namespace"), func(s *Strimzi) *string { return &s.Namespace }, "Its namespace.", def("kafka")),
		at("nodes", optional(strimziNodesType()), func(s *Strimzi) **StrimziNodes { return &s.Nodes }, "What the brokers are given, for the Kafka object itself. Absent means that somebody else keeps that."),
	)
}

func strimziNodesType() typ[StrimziNodes] {
	return object(
		at("version", matching("version of Kafka", `^[0-9]+\.[0-9]+\.[0-9]+$`, 20, "write three numbers such as 4.3.1"), func(n *StrimziNodes) *string { return &n.Version }, "The version of Kafka, one that the operator knows.", required),
		at("cpu", cpu(), func(n *StrimziNodes) *MilliCPU { return &n.CPU }, "The cores of each broker.", required),
		at("memory", memory(), func(n *StrimziNodes) *Bytes { return &n.Memory }, "The memory of each broker.", required),
		at("storage", bytesBetween(gib, 64*1024*gib), func(n *StrimziNodes) *Bytes { return &n.Storage }, "The volume of each broker.", required),
		at("rack", matching(labelNames.noun, labelNames.pattern, labelNames.most, labelNames.fix), func(n *StrimziNodes) *string { return &n.Rack }, "The label of Kubernetes' nodes that names their zone: replicas of a partition are spread over zones, and brokers run only on nodes that have it. Absent means that all are in one zone."),
	)
}

var accessType = object(
	at("callers", setOf(matching("service account", `^[a-z0-9]([a-z0-9-]*[a-z0-9])?(/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$`, 320, "write the name of a service, or namespace/name of a service account")), func(a *Access) *[]string { return &a.Callers }, "Who may call: services of the estate, or other service accounts as namespace/name. Absent means every pod of the namespace."),
	at("scopes", setOf(matching("scope", `^[!#-\[\]-~]+$`, 200, "write it without spaces, quotes and backslashes")), func(a *Access) *[]string { return &a.Scopes }, "Scopes of a caller's token, one of which is needed."),
)

var (
	labelNames = rule("label", `^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`, 317, "write a label's name as Kubernetes does: an optional prefix and '/', then letters, digits, '-', '_' and '.'")
	peerNames  = rule("peer", `^[a-z]([a-z0-9-]*[a-z0-9])?$`, 40, "use lower-case letters, digits and '-'")
)

// dnsLabel is a name as Kubernetes has them for most things.
func dnsLabel(noun string) typ[string] {
	return matching("name of a "+noun, `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`, 63, "use lower-case letters, digits and '-'")
}
