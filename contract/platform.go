package contract

// A Platform is where the services of one environment run: what manifests need to
// know and no contract says. The platform team writes it once, in clusters.yaml.
type Platform struct {
	Environment string // of clusters.yaml

	Namespace  string // of the services; the environment's name if clusters.yaml has none
	Monitoring string // the namespace that metrics are scraped from

	// Kafka and Registry say where the brokers and the schema registry of the cluster
	// that alias default means are to be reached within the Kubernetes cluster. Absent
	// means outside of it, and other clusters always are: their cidrs say where.
	Kafka    *Peer
	Registry *Peer

	Telemetry   *Telemetry // nil means that services send traces and metrics nowhere
	Credentials Credentials
	Autoscaler  Autoscaler
	Reload      Reload

	PullSecrets  []string // by which images are pulled
	StorageClass string   // of volumes; empty means the cluster's default

	Mesh    *Mesh
	GitOps  *GitOps
	Strimzi *Strimzi
}

// A Peer is whom traffic goes to or comes from: pods of a namespace, or networks.
type Peer struct {
	Name string // in the contract

	Namespace string            // empty means the service's own, where Pods are given
	Pods      map[string]*Label // their labels; empty means all pods of the namespace
	CIDRs     []string          // networks outside of the Kubernetes cluster
	Ports     []int             // TCP; empty means what goes without saying, or every port
}

// A Label is the value of a label.
type Label struct{ Value string }

// Telemetry is where traces and metrics are sent, by OTLP.
type Telemetry struct {
	Endpoint string // an address such as http://collector.observability:4317
	Peer     Peer   // where that is
}

// Credentials say how keys and passwords reach a pod. No manifest ever holds one.
type Credentials struct {
	From CredentialSource

	Issuer string // of cert-manager: kind/name, such as ClusterIssuer/kafka-clients
	Bundle string // of trust-manager: the ConfigMap with the brokers' authority; empty means that the issuer's is theirs
	Store  string // of external-secrets: kind/name, such as ClusterSecretStore/vault
	Path   string // where the secrets are in the store; {service} and {environment} stand for names
	Role   string // of the Vault agent, likewise
	Peer   *Peer  // where Vault is, for its agent in the pod
}

// A CredentialSource makes the Secrets, or the files, that pods mount.
type CredentialSource string

// The sources. FromSecret is the default.
const (
	FromSecret          CredentialSource = "secret"           // somebody puts a Secret there, such as slipway pki issue
	FromCertManager     CredentialSource = "cert-manager"     // a Certificate, for mTLS
	FromExternalSecrets CredentialSource = "external-secrets" // an ExternalSecret
	FromVault           CredentialSource = "vault"            // the Vault agent writes files into the pod
)

// An Autoscaler changes the number of instances.
type Autoscaler string

// The autoscalers. KEDA is the default.
const (
	KEDA Autoscaler = "keda" // a ScaledObject that asks the brokers for the lag
	HPA  Autoscaler = "hpa"  // autoscaling/v2, with a metrics adapter
)

// Reload says what a change of the configuration does to pods that run.
type Reload string

// The ways. ReloadLive is the default: the service takes over what it can.
const (
	ReloadLive    Reload = "live"    // the mounted directory changes, and no pod is replaced
	ReloadRestart Reload = "restart" // the name of the ConfigMap changes, and pods are replaced one after the other
)

// A Mesh is the Istio that the services are in.
type Mesh struct {
	Namespace string // of its control plane
	Issuer    string // of the tokens that callers show; empty means that none are asked for
	JWKS      string // where the issuer's keys are; an https address
}

// GitOps says where the manifests are kept, for Argo CD.
type GitOps struct {
	Repository string
	Revision   string // a tag or a commit, never a branch
	Path       string // of the manifests within the repository; {service} and {environment} stand for names
	Namespace  string // of Argo CD
	Project    string
	Server     string // of the Kubernetes cluster
}

// Strimzi says which Kafka of Strimzi's the topics and users belong to: the one that
// alias default means in the environment.
type Strimzi struct {
	Cluster   string
	Namespace string
	Nodes     *StrimziNodes // nil means that somebody else keeps the Kafka object
}

// StrimziNodes are what the brokers of a Kafka that Strimzi runs are given. How many
// there are follows from the cluster.
type StrimziNodes struct {
	Version string // of Kafka
	CPU     MilliCPU
	Memory  Bytes
	Storage Bytes
	Rack    string // label of Kubernetes' nodes that names their zone; empty means one zone
}

// An Access says who may call the service's HTTP and gRPC ports.
type Access struct {
	Callers []string // service accounts: a service of the estate, or namespace/name
	Scopes  []string // of the caller's token; one of them is enough
}
