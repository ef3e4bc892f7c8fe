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
		Fix:   "Check the file that SCHEMA_REGISTRY_AUTH_PATH names (user:password); to register schemas run slipway apply with the writing credential.",
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
}
