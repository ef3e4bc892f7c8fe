package diag

// The problems of clusters.yaml.
const (
	ClusterUnknown     Code = "SLP-CLU-001"
	ClusterAlias       Code = "SLP-CLU-002"
	ClusterEnvironment Code = "SLP-CLU-003"
	ClusterShared      Code = "SLP-CLU-004"
	ClusterNaming      Code = "SLP-CLU-005"
	ClusterReserved    Code = "SLP-CLU-006"
	ClusterEndpoint    Code = "SLP-CLU-007"
	ClusterListener    Code = "SLP-CLU-008"
	ClusterDuplicateID Code = "SLP-CLU-009"
	ClusterDefaults    Code = "SLP-CLU-010"
	ClusterNode        Code = "SLP-CLU-011"
)

var clusterEntries = []Entry{
	{ClusterUnknown, "the cluster is unknown", "An environment binds an alias to a cluster that is not listed under clusters.", "correct the name, or add clusters: {NAME: {id: …, bootstrap: {…}}}"},
	{ClusterAlias, "the alias is not bound", "A contract names a logical cluster that the environment does not bind.", "bind the alias in clusters.yaml, or correct it in the contract"},
	{ClusterEnvironment, "the environment is unknown", "clusters.yaml does not list the environment. Where there is no such file, there is dev alone.", "correct the name, or add the environment to clusters.yaml in the directory that holds the contracts"},
	{ClusterShared, "environments share a cluster", "Several environments on one cluster would share topics, unless each has a topicPrefix of its own.", "give each of them a topicPrefix, none of which begins with another"},
	{ClusterNaming, "the naming rule is not a regular expression", "naming.topic cannot be compiled (Go's RE2 syntax).", "correct the expression, and double backslashes inside double quotes"},
	{ClusterReserved, "the name of the cluster is reserved", "embedded and local are Slipway's own and need no entry.", "choose another name"},
	{ClusterEndpoint, "an address is not understood", "Bootstrap addresses are host:port, several with commas; registry and connect are http or https URLs without a password; networks are CIDRs.", "write the address in that form"},
	{ClusterListener, "the cluster has no such listener", "The service authenticates in a way for which the cluster lists no bootstrap address.", "add the address to bootstrap, or change the service's auth"},
	{ClusterDuplicateID, "two clusters have one id", "The pinned id tells clusters apart; two entries with one id are the same cluster, or one was copied.", "correct the id, or keep one entry"},
	{ClusterDefaults, "the defaults contradict each other", "More replicas must be in sync than there are, so no record could be acknowledged.", "make min.insync.replicas less than replicas"},
	{ClusterNode, "a node cannot be named like this in a certificate", "The certificate of a broker or controller names its hosts, and clients accept it for every one of them. So a host is one host name or one address, in networks that cidrs lists if it lists any; and the name of a node, which is its certificate's common name, must not be what a service or an administrator is called.", "correct the name or the host that the message names"},
}
