package diag

// What can be wrong with what clusters.yaml and contracts say of where services run.
const (
	PlatformPeer       Code = "SLP-PLT-001"
	PlatformIncomplete Code = "SLP-PLT-002"
)

var platformEntries = []Entry{
	{PlatformPeer, "it is not said whom traffic goes to or comes from", "A peer is pods of a namespace, or networks outside of the Kubernetes cluster, and the ports. A network policy admits exactly what is named.", "name namespace, pods or cidrs, and the ports"},
	{PlatformIncomplete, "the platform is not described completely", "What clusters.yaml says of an environment's platform lacks a part that another part needs, or has one that has no meaning beside it.", "add or remove what the message names"},
}
