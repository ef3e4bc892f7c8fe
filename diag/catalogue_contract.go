package diag

// The problems of one file: what it says, whether it can be read.
const (
	ContractSyntax       Code = "SLP-CON-001"
	ContractMissing      Code = "SLP-CON-002"
	ContractUnreadable   Code = "SLP-CON-003"
	ContractEncoding     Code = "SLP-CON-004"
	ContractTooLarge     Code = "SLP-CON-005"
	ContractDocuments    Code = "SLP-CON-006"
	ContractAnchor       Code = "SLP-CON-007"
	ContractTag          Code = "SLP-CON-008"
	ContractDuplicateKey Code = "SLP-CON-009"
	ContractUnknownKey   Code = "SLP-CON-010"
	ContractType         Code = "SLP-CON-011"
	ContractValue        Code = "SLP-CON-012"
	ContractUnit         Code = "SLP-CON-013"
	ContractRequired     Code = "SLP-CON-014"
	ContractVersion      Code = "SLP-CON-015"
	ContractName         Code = "SLP-CON-016"
	ContractOverlay      Code = "SLP-CON-017"
	ContractFaults       Code = "SLP-CON-018"
	ContractFile         Code = "SLP-CON-019"
	ContractFileMissing  Code = "SLP-CON-020"
	ContractRetryOrder   Code = "SLP-CON-021"
	ContractPark         Code = "SLP-CON-022"
	ContractShare        Code = "SLP-CON-023"
	ContractTable        Code = "SLP-CON-024"
	ContractGroup        Code = "SLP-CON-025"
	ContractPlainAuth    Code = "SLP-CON-026"
	ContractNameLength   Code = "SLP-CON-027"
	ContractCanary       Code = "SLP-CON-028"
	ContractScale        Code = "SLP-CON-029"
	ContractCompact      Code = "SLP-CON-030"
	ContractReserved     Code = "SLP-CON-031"
	ContractUseless      Code = "SLP-CON-032"
	ContractDedupTTL     Code = "SLP-CON-033"
	ContractBackoff      Code = "SLP-CON-034"
	ContractAssignment   Code = "SLP-CON-035"
	ContractHeartbeat    Code = "SLP-CON-036"
)

var contractEntries = []Entry{
	{ContractSyntax, "the file is not YAML", "A line does not follow YAML's rules, or the file is not a mapping of keys. YAML stops at the first such line, so further ones show up only once it is repaired.", "repair the line; slipway init writes a contract that parses"},
	{ContractMissing, "the contract does not exist", "The file named is not there.", "check the path, or run slipway init to write one"},
	{ContractUnreadable, "the file cannot be read", "It is a link, a directory, a pipe or a device, or its permissions forbid reading. So may those of a directory that is searched for contracts. Links are not followed, because a contract must be the same wherever it is read.", "put a regular, readable file there; a directory, let who runs this list it"},
	{ContractEncoding, "the file has characters it may not have", "Contracts are UTF-8 without a byte order mark. NUL, control characters, marks that reorder text and line breaks other than newline are refused, because what a reviewer sees would not be what Slipway reads.", "save the file as plain UTF-8 and remove the character"},
	{ContractTooLarge, "the file is too large or too deep", "A file is at most 1 MiB and nested at most 100 levels.", "split the service, or remove what does not belong into a contract"},
	{ContractDocuments, "the file has a second document", "A file holds one contract; a line of three dashes begins another document.", "move the second document to a slipway.yaml of its own directory"},
	{ContractAnchor, "anchors, aliases and merge keys are refused", "They make a contract mean something other than what stands in the line, and can expand without bound.", "write the value out where it is used"},
	{ContractTag, "tags are refused", "The type of a value follows from its key; a tag such as !!binary or !custom would change it.", "remove the tag, and put the value in quotes if it is text"},
	{ContractDuplicateKey, "a key is there twice", "One mapping has the same key twice, and only one of them could count.", "remove one of them"},
	{ContractUnknownKey, "the key is unknown", "The key is misspelt, stands in the wrong place, or needs a newer Slipway.", "correct it; slipway contract schema prints all keys"},
	{ContractType, "the value has the wrong type", "The key wants another kind of value, such as text, a number, a list or a mapping.", "write the kind of value that the message names"},
	{ContractValue, "the value is not allowed", "The value has the right type but is out of bounds, or not one of the words known here.", "write a value that the message names"},
	{ContractUnit, "the unit is not understood", "Units have one form: durations 7d, 1h30m, 250ms; bytes 64KiB, 1MiB, 512; rates 500/s, 2k/s; shares 99.95%; cpu 500m or 2; memory 128Mi. K and KB are refused because some mean 1000 and some 1024.", "write the form that the message names"},
	{ContractRequired, "a key is missing", "The key has no default.", "add the key"},
	{ContractVersion, "the file is of another kind or version", "apiVersion or kind is not what this file should have, or it was written for a newer Slipway.", "correct apiVersion and kind, or upgrade Slipway"},
	{ContractName, "the name is not allowed", "Names become part of topics, groups, principals, Kubernetes objects and metrics, and must fit all of them.", "write a name of the form that the message names"},
	{ContractOverlay, "an environment changes what it may not", "An environment may change sizing, policy, workload and launch. Key, schema, order, owner and the set of topics are the same everywhere, or what was tested in one environment would not be what runs in the next.", "make the change outside of environments"},
	{ContractFaults, "there are too many problems", "Telling more of them would not help.", "repair those that are shown, then validate again"},
	{ContractFile, "the referenced file is refused", "A referenced file must be a regular file inside the contract's directory, named by a relative path without .. and without links on the way, so that it can be embedded with the contract.", "copy the file below the contract's directory"},
	{ContractFileMissing, "the referenced file does not exist", "The path is misspelt, or the file was not committed or not embedded.", "correct the path, or add the file and embed its directory"},
	{ContractRetryOrder, "retry delays do not ascend", "Each delay must be longer than the one before.", "sort the delays"},
	{ContractPark, "parking needs order by key", "then: park makes one key wait while others flow; without order: key there is no key to wait for.", "write order: key, or then: dead-letter"},
	{ContractShare, "a share group cannot keep this", "A share group hands records to members one by one: it keeps no order, parks no key and has its own protocol.", "write order: none and leave the other key out, or read as: stream"},
	{ContractTable, "a table has no such policy", "A table is read whole by every instance without a group: nothing is committed, retried or shared out.", "leave the key out, or read as: stream"},
	{ContractGroup, "entries of one group contradict each other", "All entries without a suffix share one consumer group, and so do those with the same suffix. One group reads a topic once, either as stream or as share, and its members have one protocol, assignment, session, heartbeat and isolation.", "give one of the entries a group suffix of its own"},
	{ContractPlainAuth, "plain is for dev only", "SASL/PLAIN sends the password itself to the broker.", "write auth: mtls or scram-sha-512, and plain only below environments: dev"},
	{ContractNameLength, "a derived name is too long", "Kafka takes names of at most 249 characters, and the retry and dead letter topics are longer than the topic they serve.", "shorten the topic, the service or the group suffix"},
	{ContractCanary, "canary shares do not ascend to 100%", "Each share must be larger than the one before, and the last one must be 100%.", "write them like [5%, 25%, 100%]"},
	{ContractScale, "the scale contradicts itself", "min is above max, or two ports are the same.", "correct one of the two"},
	{ContractCompact, "a compacted topic needs a key", "Compaction keeps the last record of every key; Kafka refuses records without a key.", "add key, or remove compact"},
	{ContractReserved, "the name is reserved", "Names that begin with svc- are derived by Slipway, those that begin with __ are Kafka's own.", "choose another name"},
	{ContractUseless, "the setting has no effect", "Another setting of the same entry makes it meaningless, so something else was probably meant.", "remove it, or change the other one"},
	{ContractDedupTTL, "records outlive their deduplication", "A record that is retried later than dedup.ttl after it was first seen is taken for a new one.", "make dedup.ttl longer than all retry delays together"},
	{ContractBackoff, "the backoff contradicts itself", "Waits are either listed in delays or computed by backoff; the first wait is at most max; and the budget, which is how long after the first failure another attempt may begin, has room for the attempts.", "correct the value that the message names"},
	{ContractAssignment, "brokers share out the partitions of this group", "With protocol: consumer (KIP-848) the broker's own assignor decides who reads which partition; a rule in the client would be ignored.", "leave assignment out, or write protocol: classic"},
	{ContractHeartbeat, "the session is too short for its heartbeat", "A member that is silent for a session loses its partitions. Kafka only demands that a heartbeat is shorter than the session, but then one that is lost, or late behind a pause of the process, ends it; with room for three it takes a real failure.", "make heartbeat a third of session, or less"},
}
