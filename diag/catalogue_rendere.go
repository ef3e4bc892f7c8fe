package diag

// What keeps the settings of brokers, and a whole environment for Docker Compose,
// from being rendered.
const (
	RenderNoNodes     Code = "SLP-RND-080"
	RenderNodeNumber  Code = "SLP-RND-081"
	RenderQuorum      Code = "SLP-RND-082"
	RenderReplicas    Code = "SLP-RND-083"
	RenderClusterID   Code = "SLP-RND-084"
	RenderListener    Code = "SLP-RND-085"
	RenderPrincipal   Code = "SLP-RND-086"
	RenderComposeNode Code = "SLP-RND-087"
	RenderComposePart Code = "SLP-RND-088"
)

var renderBrokerEntries = []Entry{
	{RenderNoNodes, "the nodes of a cluster are not listed", "Settings are rendered for each node of a cluster, with the names that its certificate has. clusters.yaml lists no nodes of the cluster, or the environment is on embedded or local, which slipway runs itself.", "list the brokers and controllers below nodes of the cluster in clusters.yaml"},
	{RenderNodeNumber, "a node's name does not say its number", "node.id stays for the life of a node's storage, so it is taken from the number at the end of the node's name, and not from its place in a list that may grow.", "end each node's name in a number of its own, as in kafka-1, kafka-2, kafka-3"},
	{RenderQuorum, "the controllers cannot outvote one that is away", "More than half of the controllers have to agree. With two, neither can go on without the other, so two survive less than one does; an even number never survives more than the odd number below it.", "list three controllers, or five; one only where the environment is called dev"},
	{RenderReplicas, "there are fewer brokers than replicas", "A topic with more replicas than there are brokers cannot be made, and neither can Kafka's own topics.", "list more brokers, or lower defaults.replicas of the cluster"},
	{RenderClusterID, "the cluster's id is none that Kafka can be formatted with", "Kafka's cluster ids are 16 bytes in base64: 22 characters. Storage cannot be formatted with another.", "make one with kafka-storage.sh random-uuid before the cluster is first started"},
	{RenderListener, "a listener cannot be rendered", "bootstrap of the cluster names a listener that would not be safe, or a port that two listeners would share.", "correct bootstrap of the cluster in clusters.yaml, as the message says"},
	{RenderPrincipal, "nodes and services would not be told apart", "By the rules in pki.principals, the certificate of a node or an administrator makes no principal, or one that another certificate makes too. Super users are named by principal, so a service could be one.", "correct pki.principals of the cluster; without them the common name is the principal"},
	{RenderComposeNode, "the nodes do not fit Docker Compose", "With Docker Compose all nodes run on this machine: each is a container that others find by the node's first host, and that programs on this machine find at localhost, at a port of its own.", "give each node hosts: [its name, localhost], and list localhost with a port for each broker in bootstrap"},
	{RenderComposePart, "a part of the environment is not described", "The contracts need something beside Kafka that clusters.yaml does not describe for this cluster.", "describe it in clusters.yaml, as the message says"},
}
