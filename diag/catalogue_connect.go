package diag

// Connectors, in contracts and on the workers of Kafka Connect.
const (
	ContractConnector       Code = "SLP-CON-037"
	ContractConnectorSecret Code = "SLP-CON-038"

	ConnectMissing     Code = "SLP-CNT-001"
	ConnectAddress     Code = "SLP-CNT-002"
	ConnectUnreachable Code = "SLP-CNT-003"
	ConnectLogin       Code = "SLP-CNT-004"
	ConnectUnknown     Code = "SLP-CNT-005"
	ConnectBusy        Code = "SLP-CNT-006"
	ConnectRefused     Code = "SLP-CNT-007"
	ConnectAnswer      Code = "SLP-CNT-008"
)

var connectEntries = []Entry{
	{ContractConnector, "a connector's settings cannot be used", "A connector has settings in a JSON file, or below config, or both. Each is one text, one of them is connector.class, and the name is given by Slipway, so that two services never fight for one.", "correct the settings; they are those that Kafka Connect's documentation of the plugin lists"},
	{ContractConnectorSecret, "a connector's setting shows a secret", "Contracts are read by many and kept for ever, and the worker shows its settings to everybody who can reach its REST API. A secret stays where the worker runs and is named by a reference.", "write a reference that the worker resolves, such as ${file:/etc/secrets/db:password} or ${env:DB_PASSWORD}, with the config provider set up in the worker's properties; then change the secret, because it has been written down"},
	{ConnectMissing, "there are connectors and nothing to run them", "Contracts of this environment have connectors, and their cluster has no Kafka Connect in clusters.yaml. The embedded and the local cluster have none.", "add connect: {url: …} to the cluster in clusters.yaml, or bind the connector's cluster alias to a cluster that has one"},
	{ConnectAddress, "the address of Kafka Connect cannot be used", "It is not an http or https URL, carries a user or a password, or would take a password over the network in the clear.", "write it like https://connect.example.com:8083; the credential comes from a file, and http is for addresses of this machine when there is one"},
	{ConnectUnreachable, "Kafka Connect does not answer", "No worker listens at the address, its name does not resolve, its certificate is not signed by the cluster's CA or the system's, or it took too long.", "check connect/url of the cluster in clusters.yaml and that the workers run; nothing was changed by a request that got no answer, or it is done again without harm"},
	{ConnectLogin, "Kafka Connect refused the credential", "The REST API wants a user and a password, or has others.", "name a file that holds user:password with --connect-auth-file"},
	{ConnectUnknown, "there is no such connector", "The worker does not run a connector of this name: it is misspelt, or it was not created yet.", "slipway connect list shows those that there are; slipway apply creates those of the contracts"},
	{ConnectBusy, "the workers of Kafka Connect share out their work and do not come to an end", "While workers join or leave, or while a connector changes, the REST API answers 409. That ends by itself, usually within seconds; a worker that joins again and again keeps it going.", "run the command again; if it stays, look at the logs of the workers for one that restarts"},
	{ConnectRefused, "Kafka Connect refused a request", "The worker answered with an error of its own.", "act on the worker's words; its log has more"},
	{ConnectAnswer, "what answers is not Kafka Connect", "The answer is not one of Kafka Connect's REST API: another program is at the address, a proxy answers in its place, the worker is only starting, or it is older than Kafka 2.3.", "check connect/url of the cluster in clusters.yaml; if the worker has just been started, run the command again"},
}
