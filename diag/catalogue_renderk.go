package diag

// What keeps a service from being rendered for Kubernetes.
const (
	RenderImage           Code = "SLP-RND-010"
	RenderImageMoves      Code = "SLP-RND-011"
	RenderBrokersNowhere  Code = "SLP-RND-012"
	RenderRegistryNowhere Code = "SLP-RND-013"
	RenderFileShared      Code = "SLP-RND-014"
	RenderVolumeSmall     Code = "SLP-RND-015"
	RenderHealthPort      Code = "SLP-RND-017"
	RenderDatabaseNowhere Code = "SLP-RND-018"
	RenderNameTaken       Code = "SLP-RND-019"
)

var renderKEntries = []Entry{
	{RenderImage, "a service has no image", "Pods run an image, and neither the contract nor its environment names one.", "write workload: {image: registry.example.com/shop/orders} in the contract, with the service's name; slipway image build makes one"},
	{RenderImageMoves, "nobody has decided which image runs", "An image without a tag, or with latest, is another one after the next push: pods of one rollout could run different code, and nobody could go back. Only environment dev takes one.", "name the tag or the digest that was tested, in the contract's block of the environment"},
	{RenderBrokersNowhere, "the network policy does not know the brokers", "A pod may only connect to what its network policy names. Brokers in the Kubernetes cluster are pods of a namespace, others are networks, and clusters.yaml says neither.", "add cidrs to the cluster; or, for the one that alias default means, kafka to the environment's platform"},
	{RenderRegistryNowhere, "the network policy does not know the schema registry", "A pod may only connect to what its network policy names. clusters.yaml names the registry's address, and not where in the network it is.", "add cidrs to the cluster; or, for the one that alias default means, registry to the environment's platform"},
	{RenderFileShared, "several instances cannot share a file", "An outbox or an inbox is in a database that all instances of the service use. Where the contract names no server, that is a SQLite file on the volume of one instance: another instance would not see its rows, and would handle again what was handled.", "write scale: {min: 1, max: 1}, or name the database server as workload.egress.database"},
	{RenderVolumeSmall, "what is spilled does not fit on the volume", "While the cluster is away, records are kept on the instance's volume up to the contract's bounds, and the volume is smaller than these bounds together.", "enlarge workload.volume, or lower spill.max"},
	{RenderHealthPort, "probes and gRPC want the same port", "A service without HTTP answers probes and serves its metrics at port 8081, and its gRPC API is there.", "write another port as workload.grpc, or add workload.http: probes and metrics are served there then"},
	{RenderDatabaseNowhere, "the network policy does not know the database", "Debezium publishes the outbox, so that its rows are on a Postgres server. The contract does not say where the service reaches it.", "add egress: {database: {namespace: …, pods: {…}, ports: [5432]}} to the contract's workload"},
	{RenderNameTaken, "two services would have one object", "What belongs to a service is called after it: the Service of its instances ends in -instances, a Secret of another cluster in -kafka-<alias>. Another service is called so that its own object has that very name. What is applied last would take the other's place, or one service would read the other's key.", "give one of the two services, or the alias, another name"},
}
