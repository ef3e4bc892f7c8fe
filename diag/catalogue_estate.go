package diag

// The problems of contracts with each other.
const (
	EstateEmpty             Code = "SLP-EST-001"
	EstateDuplicateService  Code = "SLP-EST-002"
	EstateTwoOwners         Code = "SLP-EST-003"
	EstateUnownedTopic      Code = "SLP-EST-004"
	EstateForeignWriter     Code = "SLP-EST-005"
	EstateReader            Code = "SLP-EST-006"
	EstateUnknownService    Code = "SLP-EST-007"
	EstateMetricCollision   Code = "SLP-EST-008"
	EstateGroupOverlap      Code = "SLP-EST-009"
	EstateTransactionalIDs  Code = "SLP-EST-010"
	EstatePrincipal         Code = "SLP-EST-011"
	EstateNaming            Code = "SLP-EST-012"
	EstateSchemaFormat      Code = "SLP-EST-013"
	EstateMessageSize       Code = "SLP-EST-014"
	EstateIdleInstances     Code = "SLP-EST-015"
	EstateCopartition       Code = "SLP-EST-016"
	EstateNoWriter          Code = "SLP-EST-017"
	EstateTableRetention    Code = "SLP-EST-018"
	EstateUnkeyed           Code = "SLP-EST-019"
	EstateDerivedCollision  Code = "SLP-EST-020"
	EstateAnotherCluster    Code = "SLP-EST-021"
	EstateUnusedEnvironment Code = "SLP-EST-022"
	EstateMisplaced         Code = "SLP-EST-023"
)

var estateEntries = []Entry{
	{EstateEmpty, "there is no contract", "No slipway.yaml was found in the directory or below. Hidden directories, node_modules, vendor and testdata are not searched, and links are not followed.", "run slipway init to write one, or name the directory that holds the contracts"},
	{EstateDuplicateService, "two contracts name the same service", "Everything derived begins with the service's name, so two services of one name would share identity, group and rights.", "rename one of them"},
	{EstateTwoOwners, "a topic has two owners", "Two contracts list the topic under topics, or external.yaml says that others own it. Only one can decide its shape.", "keep it in one contract; the others list it under produces or consumes"},
	{EstateUnownedTopic, "nobody owns the topic", "A service produces or consumes a topic that no contract lists under topics.", "correct the name, let a service own it, or list it in external.yaml if others own it"},
	{EstateForeignWriter, "a service writes a topic of another", "Only the owner writes a topic, unless it lists others: a reader trusts what the owner promises.", "let the owner add the service to the topic's writers, or write to a topic of its own"},
	{EstateReader, "a reader is not allowed", "The owner lists the topic's readers, and this service is not one of them.", "ask the owner to add the service to readers"},
	{EstateUnknownService, "a service is unknown", "readers or writers lists a service that the estate does not have, so the entry has no effect.", "correct the name, or remove it"},
	{EstateMetricCollision, "two names are one in metrics", "Metrics turn '.' into '_', so the two topics could not be told apart; brokers warn of the same.", "rename one of the topics"},
	{EstateGroupOverlap, "a consumer group belongs to two", "Two services, or a service and somebody external, would share one consumer group and take records from each other.", "give one of them another group"},
	{EstateTransactionalIDs, "transactional ids overlap", "A service whose transactional ids begin like another's may fence that one's producers.", "choose prefixes of which none begins with the other, ending in '.'"},
	{EstatePrincipal, "a principal belongs to two", "Two services would authenticate as one, and each would have the rights of both.", "give each service a principal of its own"},
	{EstateNaming, "a topic is outside the naming rule", "The estate's rule for topic names (naming.topic in clusters.yaml) does not match the name.", "rename the topic, or widen the rule"},
	{EstateSchemaFormat, "reader and owner disagree on the format", "The reader's schema is of another format than the owner's, so no value could be read.", "use a schema of the owner's format"},
	{EstateMessageSize, "values are larger than the topic takes", "A producer's max is above the topic's maxMessage, so the broker would refuse what the contract allows.", "raise maxMessage of the topic, or lower max"},
	{EstateIdleInstances, "instances would be idle", "Each partition is read by one instance of a group; instances beyond the number of partitions get nothing.", "lower the scale, or add partitions"},
	{EstateCopartition, "topics of one key are placed differently", "A group reads topics with the same key but a different number of partitions or another partitioner, so the records of one key can be on different instances and state kept in memory does not meet.", "give the topics the same partitions and partitioner, or give the entries groups of their own"},
	{EstateNoWriter, "nobody writes the topic", "A contract owns the topic, but no contract produces it.", "list it under produces of the service that writes it, or remove it"},
	{EstateTableRetention, "a table forgets", "The topic is read as a table but is not compacted, so retention removes entries from it.", "let the owner set compact: true, or retention: forever"},
	{EstateUnkeyed, "order by key without keys", "The topic has no key, so every record is a lane of its own and nothing is ordered.", "let the owner add a key, or write order: partition or order: none"},
	{EstateDerivedCollision, "two derived names are the same", "A retry or dead letter topic has the same name as another topic.", "rename the group suffix or the topic"},
	{EstateAnotherCluster, "the topic is on another cluster", "The entry's cluster alias leads to another cluster than the owner's.", "write the owner's alias as cluster"},
	{EstateUnusedEnvironment, "the environment is unknown", "A contract has a block for an environment that clusters.yaml does not list, so the block has no effect.", "correct the name, or add the environment to clusters.yaml"},
	{EstateMisplaced, "a file is not at the estate's root", "clusters.yaml and external.yaml are read only from the directory that is validated.", "move it there, or name its directory"},
}
