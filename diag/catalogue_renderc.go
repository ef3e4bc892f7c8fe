package diag

// What can be wrong with rendering how credentials reach pods, and with rendering
// for a Kafka that Strimzi runs.
const (
	RenderCredentialSource Code = "SLP-RND-050"
	RenderNoCertificate    Code = "SLP-RND-051"
	RenderNoVault          Code = "SLP-RND-052"
	RenderNoStrimzi        Code = "SLP-RND-053"
	RenderStrimziListener  Code = "SLP-RND-054"
	RenderStrimziNodes     Code = "SLP-RND-055"
	RenderAuthorities      Code = "SLP-RND-056"
)

var renderCredentialEntries = []Entry{
	{RenderCredentialSource, "credentials come from elsewhere", "clusters.yaml says by platform.<environment>.credentials.from what makes the credentials of an environment, and the target is of another source. Two sources of one Secret write over each other.", "render the target of the source, or change it in clusters.yaml, as in platform: {prod: {credentials: {from: cert-manager, issuer: ClusterIssuer/kafka-clients}}}; without it somebody puts Secrets there, and no target makes them"},
	{RenderNoCertificate, "no certificate has the service's principal", "Brokers make the principal of what a certificate says, by the rules in clusters.yaml under pki.principals. Of no common name that cert-manager could ask for do they make this one.", "correct adopt.principal in the contract, or pki.principals of the cluster"},
	{RenderNoVault, "it is not said where Vault is", "The pods of a service may call nobody who is not named, and Vault's agent is in the pod.", "name namespace and pods, or cidrs, in clusters.yaml under platform.<environment>.credentials.peer"},
	{RenderNoStrimzi, "the environment has no Kafka of Strimzi's", "Topics and users of Strimzi belong to a Kafka object, which the labels of each name.", "write platform: {prod: {strimzi: {cluster: NAME}}} in clusters.yaml, with the environment's name, and bind the alias default to the cluster that it runs"},
	{RenderStrimziListener, "Strimzi cannot have such a listener", "Brokers of Strimzi listen for mTLS and SCRAM-SHA-512, each on one port of 9092 or more that Strimzi does not use itself.", "correct the cluster's bootstrap in clusters.yaml or the service's identity.auth; or keep the Kafka object yourself and remove strimzi.nodes"},
	{RenderStrimziNodes, "there are too few nodes for the cluster's defaults", "A partition has its replicas on brokers of their own, and controllers decide by majority: an odd number of three or more outlives the loss of one.", "add nodes in clusters.yaml, or lower defaults.replicas"},
	{RenderAuthorities, "one issuer cannot be the authority of two clusters' brokers", "cert-manager puts the authority of the issuer beside each certificate, and services know the brokers by it. clusters.yaml names different authorities (ca) for clusters that services of the environment log in to by certificate.", "name a ConfigMap that holds the authorities of all of them as credentials.bundle, and have the brokers of each trust the issuer for clients; or take the credentials from external-secrets or Vault"},
}
