package diag

// What a running service can stumble on: its surroundings, its contract
// against its code, and its records.
const (
	RuntimeVariableMissing  Code = "SLP-RUN-001"
	RuntimeVariableInvalid  Code = "SLP-RUN-002"
	RuntimeFileUnreadable   Code = "SLP-RUN-003"
	RuntimePrincipalDiffers Code = "SLP-RUN-004"
	RuntimeNotConsumed      Code = "SLP-RUN-005"
	RuntimeNoHandler        Code = "SLP-RUN-006"
	RuntimeNotProduced      Code = "SLP-RUN-007"
	RuntimeNoCodec          Code = "SLP-RUN-008"
	RuntimeTypeMismatch     Code = "SLP-RUN-009"
	RuntimeSchemaUnknown    Code = "SLP-RUN-010"
	RuntimeTopicMissing     Code = "SLP-RUN-011"
	RuntimeUnsupported      Code = "SLP-RUN-012"
	RuntimeHandledTwice     Code = "SLP-RUN-013"
	RuntimeUndecodable      Code = "SLP-RUN-014"
	RuntimeDeadLetterFailed Code = "SLP-RUN-015"
	RuntimePartitionStopped Code = "SLP-RUN-016"
	RuntimeRegistryDown     Code = "SLP-RUN-017"
	RuntimeDrainExceeded    Code = "SLP-RUN-018"
	RuntimeListenFailed     Code = "SLP-RUN-019"
	RuntimeWiringFailed     Code = "SLP-RUN-020"
	RuntimeKeyUnfit         Code = "SLP-RUN-021"
	RuntimeNoCommit         Code = "SLP-RUN-022"
	RuntimeOpenFailed       Code = "SLP-RUN-023"
	RuntimeRetryFailed      Code = "SLP-RUN-024"
	RuntimeRetryForeign     Code = "SLP-RUN-025"
	RuntimeLogRewound       Code = "SLP-RUN-026"
	RuntimeTuningInvalid    Code = "SLP-RUN-027"
	RuntimeHandlerStuck     Code = "SLP-RUN-028"
	RuntimeAdminOpen        Code = "SLP-RUN-029"
	RuntimeAdminDenied      Code = "SLP-RUN-030"
	RuntimeRequestInvalid   Code = "SLP-RUN-031"
)

var runtimeEntries = []Entry{
	{RuntimeVariableMissing, "an environment variable is missing", "The service was started without something it needs to find its cluster or to prove who it is.", "Set the variable, or start the service with slipway up, which sets all of them."},
	{RuntimeVariableInvalid, "an environment variable is wrong", "A variable's value cannot be used.", "Correct the value as the message says."},
	{RuntimeFileUnreadable, "a mounted file cannot be used", "A file that an environment variable names is missing, unreadable, empty or not what it should be.", "Check the path and that the file is mounted into the process with read rights."},
	{RuntimePrincipalDiffers, "the principal is not the contract's", "ACL_PRINCIPAL says the process was given another identity than the one its contract derives. A client cannot choose its principal; this variable only asserts it.", "Mount the credentials of the right service and environment, or correct ENVIRONMENT."},
	{RuntimeNotConsumed, "a handler for a topic that is not consumed", "The code registers a handler for a topic that the contract's consumes block does not have.", "Add the entry to consumes in slipway.yaml, or remove the handler."},
	{RuntimeNoHandler, "a consumed topic without a handler", "The contract consumes a topic that no code handles: its records would pile up.", "Register a handler with slipway.Handle, or remove the entry from slipway.yaml."},
	{RuntimeNotProduced, "a producer for a topic that is not produced", "The code makes a producer for a topic that the contract's produces block does not have, so the service would hold no right to write it.", "Add the topic to produces in slipway.yaml, or remove the producer."},
	{RuntimeNoCodec, "no codec for a schema format", "The contract uses a schema format whose codec the program does not link.", "Import the codec's package and pass it, for example avro.Codec() of github.com/slipway-go/slipway/schema/avro."},
	{RuntimeTypeMismatch, "a Go type cannot hold the schema", "Fields of the Go type and of the schema differ in name or type.", "Change the Go type or the schema as the evidence lists."},
	{RuntimeSchemaUnknown, "the schema is not registered", "The registry does not know the schema that the contract's producer writes with. Services never register schemas themselves.", "Run slipway apply for this environment."},
	{RuntimeTopicMissing, "a topic does not exist", "A topic of the contract is not on the cluster. Services never create topics themselves.", "Run slipway apply for this environment."},
	{RuntimeUnsupported, "not supported by this version of the SDK", "The contract asks for something that this version of the SDK does not do yet.", "Use the alternative that the message names, or a newer version of the SDK."},
	{RuntimeHandledTwice, "two handlers for one entry", "The code registers more than one handler for the same entry of consumes.", "Keep one handler. A topic that is read twice needs two entries with group suffixes."},
	{RuntimeUndecodable, "a record cannot be decoded", "The value is not in the registry's wire format, names an unknown schema, or does not fit the schema.", "The record is in the dead-letter topic with its original bytes. Find the producer that wrote it."},
	{RuntimeDeadLetterFailed, "a dead letter could not be written", "The dead-letter topic is missing, denied or away. The record stays open and nothing is lost; its key waits.", "Run slipway apply, or wait for the cluster to return."},
	{RuntimePartitionStopped, "a partition was stopped", "The contract says to stop: after the last attempt of a record, or because retention deleted the committed offset.", "Repair the cause, then restart the service; with gap: earliest or latest it goes on by itself."},
	{RuntimeRegistryDown, "the schema registry does not answer", "A schema is needed that is not cached and the registry is away. Records wait; none is dead-lettered for it.", "Check SCHEMA_REGISTRY_URL and that the registry is up."},
	{RuntimeDrainExceeded, "handlers outlived the drain budget", "At shutdown some handlers did not return in time. Their contexts were cancelled and their records will be handled again.", "Make handlers honour their context, or give the service more time to stop."},
	{RuntimeListenFailed, "the HTTP port cannot be used", "The port of workload.http is taken by another process or may not be opened.", "Stop the other process, or change workload.http in slipway.yaml."},
	{RuntimeKeyUnfit, "the key does not fit the schema", "The contract's key names a field that the schema does not have at its top level, or one that cannot be written in the key's format.", "Correct key in slipway.yaml: a field of the schema, with the format string, bytes or int64 that fits it."},
	{RuntimeNoCommit, "the group has no position and may not choose one", "The contract says start: refuse, and the consumer group has no committed offset for a partition: it is new, it was renamed, or its offsets expired.", "Stop the service and give the group its position with slipway group seek, or with slipway group migrate if it was renamed; or use start: earliest or start: latest."},
	{RuntimeOpenFailed, "a partition cannot be opened", "Before a partition is handled its committed state is read, and what waits in its retry topic is taken over. One of the two did not succeed; it is tried again, and nothing is handled until it does.", "Run slipway apply: the retry topic may be missing, have fewer partitions than its source, or be denied. Otherwise wait for the cluster to return."},
	{RuntimeRetryFailed, "the retry topic cannot be used", "Records that have to wait are kept in the retry topic. It is missing, denied, away, or lacks records that were deleted. What could not be written stays open, and its key waits.", "Run slipway apply, or wait for the cluster to return. A retry topic has no retention: whoever gave it one deletes records that wait."},
	{RuntimeRetryForeign, "a record in the retry topic is none of ours", "Somebody else wrote to the retry topic, or a record in it is damaged. It is not handled; its bytes are in the dead-letter topic.", "Find the writer: only the service and its redrive principal may write the retry topic."},
	{RuntimeLogRewound, "the log was cut behind the consumer", "Records that had been read are gone from the partition and others took their offsets: an unclean leader election, or a topic that was deleted and made anew.", "Records from there on are handled. Look for the lost ones where they came from, and keep unclean.leader.election.enable off."},
	{RuntimeTuningInvalid, "a change at run time cannot be made", "The change names an entry that is not consumed, or a value out of bounds. Nothing was changed.", "Correct the value as the message says."},
	{RuntimeHandlerStuck, "a handler does not return", "A handler still runs although its timeout and a grace of five seconds are over: it does not look at its context, or waits for something that never comes. Its worker and its key are held up meanwhile.", "See the stack in the log for what it waits for, and pass the context to that call. A restart of the service handles the record again."},
	{RuntimeAdminOpen, "the admin endpoint would be open to others", "ADMIN_ADDRESS is not a loopback address and neither a token nor a certificate is asked for, or certificates are of the authority that signs every service of the cluster: whoever reaches the address could change how the service consumes.", "Listen on 127.0.0.1, set ADMIN_TOKEN_PATH to a file with a token, or set ADMIN_CERT_PATH, ADMIN_KEY_PATH and ADMIN_CLIENT_CA_PATH for mutual TLS, with the operators' common names in ADMIN_PRINCIPALS where that authority signs services too."},
	{RuntimeAdminDenied, "the admin endpoint refused a request", "The request has no bearer token, or another one than the file that ADMIN_TOKEN_PATH names; or the client's certificate is not an operator's, or not good any more.", "Send the header Authorization: Bearer with the token of that file; show a certificate that ADMIN_PRINCIPALS has."},
	{RuntimeRequestInvalid, "a request to the admin endpoint is wrong", "The body is not a tuning: no JSON, an unknown field, or a value of the wrong type. Nothing was changed.", "Correct the body as the message says; docs/reference/admin.md lists the fields."},
	{RuntimeWiringFailed, "the service's own wiring failed", "The function that connects code and contract returned an error.", "See the message: it is the service's own."},
}
