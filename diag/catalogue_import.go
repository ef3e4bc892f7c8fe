package diag

// What an import reads, and what of it contracts cannot express.
const (
	ImportSyntax        Code = "SLP-IMP-001"
	ImportTooLarge      Code = "SLP-IMP-002"
	ImportFormat        Code = "SLP-IMP-003"
	ImportNothing       Code = "SLP-IMP-004"
	ImportInvalid       Code = "SLP-IMP-005"
	ImportWide          Code = "SLP-IMP-006"
	ImportRight         Code = "SLP-IMP-007"
	ImportPrincipal     Code = "SLP-IMP-008"
	ImportGroup         Code = "SLP-IMP-009"
	ImportTopic         Code = "SLP-IMP-010"
	ImportTransactional Code = "SLP-IMP-011"
	ImportQuota         Code = "SLP-IMP-012"
	ImportUser          Code = "SLP-IMP-013"
	ImportUnknown       Code = "SLP-IMP-014"
	ImportChange        Code = "SLP-IMP-015"
)

var importEntries = []Entry{
	{ImportSyntax, "a file to import is not YAML as it is read here", "The file is not YAML, or uses what resources have no use for: anchors, aliases, tags, merge keys, a key twice.", "Correct the line that is named. kubectl get -o yaml prints resources without any of these."},
	{ImportTooLarge, "a file to import is too large", "A file has at most 64 MiB; a document in it has at most 1 MiB and 64 levels.", "Split the file at lines of three dashes, or import a part of it at a time."},
	{ImportFormat, "a resource or a rule is not understood", "Something in the file is not what a KafkaTopic, a KafkaUser or a rule of a policy has in its place. Nothing was written, because what was meant would be lost.", "Correct the place that is named. A rule of a policy has a principal, a resource with type and name, and operations."},
	{ImportNothing, "nothing can be imported", "No principal has a right to READ or WRITE a topic by name from which a contract could be made.", "Read what is said of each right. With --expand-prefixes, rights by prefix and by * are turned into names."},
	{ImportInvalid, "the import does not go together with the directory", "The directory has contracts, or a clusters.yaml, that the imported ones contradict: a service, a topic or a principal is in both. Nothing was written.", "Import into an empty directory, and move over what is missing."},
	{ImportWide, "a right covers more than one name or operation", "A right by prefix, by *, or to do everything cannot be called for by a contract, which names what is used.", "Write what is used into the contract, or import again with --expand-prefixes. Remove the wide right once the contract's are applied."},
	{ImportRight, "a right that contracts do not call for", "Contracts call for what producing and consuming takes, allowed from everywhere, and for nothing beside it.", "Remove it if it is not used; leave it to those who administer the cluster if it is."},
	{ImportPrincipal, "a principal that no contract can have", "A contract belongs to one user, whose name has no spaces, no colons and no *.", "Give each service a principal of its own."},
	{ImportGroup, "a consumer group that no contract can have", "A contract has one name for its consumer groups, with a suffix for each further one, and no two services share a group.", "Move the service to a group of its own: slipway group migrate copies the positions."},
	{ImportTopic, "a topic that no contract can have", "A topic is owned by the only service that writes it by name, if a contract can state all of its settings. Else it is external.", "Change the topic, or move it from external.yaml to the contract of its owner by hand."},
	{ImportTransactional, "transactional ids that no contract can have", "A contract has one prefix of transactional ids, which no other service's overlaps.", "Let the service use one prefix of its own."},
	{ImportQuota, "a quota that was not imported", "A contract states what its user may produce, consume and request: whole bytes a second and whole percents.", "Leave it to those who administer the cluster: plans leave alone what contracts do not state."},
	{ImportUser, "a user that no contract needs", "It can log in and no contract is its own, or it has a second password by another mechanism.", "Delete what nobody uses: slipway user delete."},
	{ImportUnknown, "something that the source does not tell", "Brokers and rights do not know teams, keys, schemas, waits and addresses; a file may hold what is not read.", "Write it into the files of the estate."},
	{ImportChange, "the first plan after this import is not empty", "Rights were expanded: the contracts call for them by name, and the cluster has them only by prefix, by * or as ALL.", "Read the plan, take out of the contracts what services do not use, and apply it."},
}
