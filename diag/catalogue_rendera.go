package diag

// What cannot be rendered of how services are scaled, called and deployed.
const (
	RenderScaleUnknown Code = "SLP-RND-030"
	RenderScaleIdle    Code = "SLP-RND-031"
	RenderScaleBlind   Code = "SLP-RND-032"
	RenderAddress      Code = "SLP-RND-033"
	RenderNoMesh       Code = "SLP-RND-034"
	RenderScope        Code = "SLP-RND-035"
	RenderCaller       Code = "SLP-RND-036"
	RenderNoGitOps     Code = "SLP-RND-037"
	RenderRunsNowhere  Code = "SLP-RND-038"
	RenderScaleFile    Code = "SLP-RND-039"
)

var renderAEntries = []Entry{
	{RenderScaleUnknown, "nobody says how many instances there may be", "With max: auto there are as many instances as partitions can use, and nothing says how many partitions a topic has: it is another owner's, and external.yaml does not tell, or neither its contract nor its cluster's defaults do.", "add the topic's partitions to external.yaml, to its contract or to the cluster's defaults, or write workload.scale.max as a number"},
	{RenderScaleIdle, "there would be instances with nothing to do", "The fewest instances of the contract are more than get a partition. An instance without a partition handles nothing, and takes one over only when another one ends.", "lower workload.scale.min, or add partitions"},
	{RenderScaleBlind, "the autoscaler cannot log in to the brokers", "KEDA asks the brokers for the lag with the service's own key or password, and takes it from a Secret. Where Vault's agent writes credentials into the pod, there is no Secret.", "take credentials from external-secrets, or write autoscaler: hpa, which takes the lag from Prometheus"},
	{RenderAddress, "the brokers' address is not known", "What is rendered has to say where the brokers are, and the cluster has no address for the way in which the service proves who it is. The embedded and the local cluster are on nobody's machine but the developer's.", "add the address to the cluster's bootstrap, or bind the environment to a cluster that has one"},
	{RenderNoMesh, "the platform has no mesh", "clusters.yaml does not say that the services of the environment are in an Istio mesh, so there is nothing that these objects would be for.", "write platform: {prod: {mesh: {}}} in clusters.yaml, with the environment's name, or leave the target out"},
	{RenderScope, "a caller's scope cannot be judged", "A service asks its callers for a scope of their token. To judge a token the mesh needs its issuer and the issuer's keys, and a scope that begins or ends with an asterisk would let others in, because Istio takes it for a pattern.", "add mesh.issuer and mesh.jwks to the environment's platform, and name scopes without an asterisk"},
	{RenderCaller, "a caller is not known", "A caller is named without a namespace, and is not a service of the estate.", "write namespace/name for a service account of somebody else, or correct the name"},
	{RenderNoGitOps, "the platform does not say where manifests are kept", "Argo CD deploys a revision of a repository, and clusters.yaml names neither for the environment.", "write platform: {prod: {gitops: {repository: …, revision: …}}} in clusters.yaml, with the environment's name"},
	{RenderRunsNowhere, "no service of the estate says what it runs on", "What is rendered is about pods, and no contract has a workload.", "add workload to the contracts of the services that run in the environment"},
	{RenderScaleFile, "instances would each have a database of their own", "The service keeps rows with its records (an outbox, an inbox), and its database is a file on the instance's own volume. An instance that takes over a partition would not know what the one before has handled, and one that is taken away would leave rows that nobody publishes.", "declare the egress to a database server as workload.egress.database, or write the same number for scale.min and scale.max"},
}
