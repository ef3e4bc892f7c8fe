package diag

// Schemas and the registry that holds them.
const (
	SchemaInvalid       Code = "SLP-SCH-001"
	SchemaTypeMismatch  Code = "SLP-SCH-002"
	RegistryUnavailable Code = "SLP-SCH-003"
	RegistryRefused     Code = "SLP-SCH-004"
	SchemaNotRegistered Code = "SLP-SCH-005"
	SchemaIncompatible  Code = "SLP-SCH-006"
	RegistryRejected    Code = "SLP-SCH-007"
	RegistryAddress     Code = "SLP-SCH-008"
	SchemaReference     Code = "SLP-SCH-009"
	SchemaMessage       Code = "SLP-SCH-010"
	SchemaNoGUID        Code = "SLP-SCH-011"
	SchemaKey           Code = "SLP-SCH-012"
	SchemaSubject       Code = "SLP-SCH-013"
)

var schemaEntries = []Entry{
	{
		Code:  SchemaInvalid,
		Title: "A schema cannot be parsed",
		Cause: "The text is not a valid schema of its format: a syntax error, an unknown type, a default that does not fit its field.",
		Fix:   "Correct the schema file; the message names what the parser stumbled over.",
	},
	{
		Code:  SchemaTypeMismatch,
		Title: "A Go type and its schema disagree",
		Cause: "Values of the type could not be written or read under the schema, or would lose something silently: a field is missing on one side, or has a type that cannot hold every value of the other.",
		Fix:   "Change the Go field as the message says, or evolve the schema; a Go field that is no part of the event carries the tag avro:\"-\" (Avro) or json:\"-\" (JSON).",
	},
	{
		Code:  RegistryUnavailable,
		Title: "The schema registry gives no usable answer",
		Cause: "It is down, slow, overloaded or restarting, TLS does not agree, or something else answers at its address.",
		Fix:   "Check that the registry runs and that SCHEMA_REGISTRY_URL, or registry.url in clusters.yaml, is its base address with the path it serves the API under. Slipway keeps asking; schemas it has seen keep working.",
	},
	{
		Code:  RegistryRefused,
		Title: "The schema registry refused the credential",
		Cause: "The user or password is wrong, or the credential may only read: services hold a read-only one, only apply writes.",
		Fix:   "Check the file that SCHEMA_REGISTRY_AUTH_PATH names, or for a command --registry-auth-file (user:password); to register schemas run slipway apply or slipway schema register with the writing credential.",
	},
	{
		Code:  SchemaNotRegistered,
		Title: "The schema registry does not hold the schema",
		Cause: "The contract or its schema changed and was not applied to this environment, or the registry lost its data.",
		Fix:   "Run slipway plan to see what is missing, and slipway apply to register it.",
	},
	{
		Code:  SchemaIncompatible,
		Title: "A schema breaks its subject's compatibility level",
		Cause: "Programs that use another version of the schema could not read the values: a field without default was added, a type was changed, a symbol was removed.",
		Fix:   "Give new fields a default, keep the types of existing ones, rename by alias; for a break that is meant, make a new topic with the next version in its name.",
	},
	{
		Code:  RegistryRejected,
		Title: "The schema registry rejected the request",
		Cause: "The registry cannot parse the schema or does not know its format or level.",
		Fix:   "Correct the schema as the registry's message says.",
	},
	{
		Code:  RegistryAddress,
		Title: "The schema registry's address cannot be used",
		Cause: "The address is not an http or https URL with a host, or it carries a user and password, which would show up in logs.",
		Fix:   "Write the address as https://host:port/path, and put user:password into the file that SCHEMA_REGISTRY_AUTH_PATH names.",
	},
	{
		Code:  SchemaReference,
		Title: "A schema builds on another one that cannot be found",
		Cause: "A reference in the contract names neither a file nor a version of a subject, references lead in a circle, or a schema uses a name that its references do not have.",
		Fix:   "List under references every schema that the file builds on, by the name that it uses: a file beside the contract, or the subject and version of one that somebody else registers.",
	},
	{
		Code:  SchemaMessage,
		Title: "A schema has no such message",
		Cause: "The contract names a message of a .proto file that the file does not have, or names one for a format that has no messages.",
		Fix:   "Write the full name of a message of the file, with its package, or remove message to take the first one.",
	},
	{
		Code:  SchemaNoGUID,
		Title: "The schema registry hands out no GUIDs",
		Cause: "The contract says id: header, and the header __value_schema_id holds the schema's GUID, which this registry does not give: Confluent's does from 8.0, Apicurio's API for Confluent does not.",
		Fix:   "Use id: prefix, which every registry and client knows, or a registry that hands out GUIDs.",
	},
	{
		Code:  SchemaKey,
		Title: "A field cannot be a key in Avro",
		Cause: "The contract gives the key the format avro, and the field is not there, may be null, or has a type whose bytes do not tell equal keys (a map, a float); or the values are not in Avro.",
		Fix:   "Use a field of type string, int, long, bytes, fixed, enum or a record of these, of values in Avro; or another key format.",
	},
	{
		Code:  SchemaSubject,
		Title: "Two schemas of one subject",
		Cause: "Contracts of the estate register different schemas under the same subject: one record name under subject: record, or one file that is referred to in two versions.",
		Fix:   "Make them the same file, give the reference a subject of its own, or use subject: topic or topic-record.",
	},
}
