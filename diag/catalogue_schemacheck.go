package diag

// Checking schemas and generating from them.
const (
	SchemaKeyField    Code = "SLP-SCH-050"
	SchemaMoney       Code = "SLP-SCH-051"
	SchemaBreaks      Code = "SLP-SCH-052"
	SchemaUnreadable  Code = "SLP-SCH-053"
	SchemaNoTopic     Code = "SLP-SCH-054"
	SchemaNoVersion   Code = "SLP-SCH-055"
	GenerateName      Code = "SLP-SCH-056"
	GenerateType      Code = "SLP-SCH-057"
	GenerateStale     Code = "SLP-SCH-058"
	GenerateTool      Code = "SLP-SCH-059"
	GenerateForeign   Code = "SLP-SCH-060"
	GenerateNoService Code = "SLP-SCH-061"
)

// Checking schemas and generating from them: SLP-SCH from 050 on.
var schemaCheckEntries = []Entry{
	{SchemaKeyField, "a topic's key is not a field of its schema", "The contract says which field of the value is the record's key, and the schema has none of that name at its top level that can be one: text, an integer or bytes. The service would not start.", "name a field of the schema under key, or add the field"},
	{SchemaMoney, "money is kept in floating point", "A field that is named as an amount of money has a floating-point type, which cannot hold most decimal fractions: 0.1 + 0.2 is not 0.3. Sums drift, and two programs that add in another order disagree.", "use minor units in an integer (a long of cents, with the currency beside it), or a decimal; an existing topic gets a new field with a default beside the old one"},
	{SchemaBreaks, "a schema breaks its topic's compatibility", "By the compatibility level of the contract, programs with another version of the schema have to get along with this one, and they would not: a field without a default came, a type changed, a symbol went.", "change the schema as the fix says; for a break that is meant, make a new topic with the next version in its name and move its readers"},
	{SchemaUnreadable, "a consumer cannot read what the owner writes", "A service of the estate, or a reader in external.yaml, reads the topic with a schema of its own, and what the owner writes, or has written, cannot be read with it. Its records would go to the dead-letter topic.", "change what the consumer reads with and deploy it, then register the owner's schema; or make the change one that the consumer can read"},
	{SchemaNoTopic, "the estate has no such topic with a schema", "No contract of the directory owns the topic, or its owner gives it no schema: then its values are bytes, and there is nothing to compare or to register.", "use the topic's name as a contract spells it, and give it a schema there if it has none"},
	{SchemaNoVersion, "the subject has no such version", "The registry does not hold the version: it was never registered in this environment, or it was deleted.", "use a version that exists, or latest; slipway schema register registers the contract's"},
	{GenerateName, "two things would have one name in Go", "Two different types of the schemas, or two entries of the contract, lead to the same Go name, and neither the namespace nor the topic tells them apart.", "rename one of them, or give the types different namespaces"},
	{GenerateType, "a schema has no Go type", "The schema describes what a Go struct cannot hold: its root is no record or object, a record contains itself other than through a union, a list or a map, or a property has a name that no struct tag can spell.", "change the schema as the message says, or write the type by hand and use it with slipway.Handle and slipway.NewProducer"},
	{GenerateStale, "generated code is not what the contract leads to", "The contract or one of its schemas changed since the files were generated, another version of Slipway generated them, or somebody edited them.", "run slipway schema gen without --check and commit what it writes"},
	{GenerateTool, "Go's generator for Protobuf failed", "Types for Protobuf are written by protoc-gen-go, in the version that the go.mod around the output names. It could not be run, or refused the schema.", "have Go in PATH, run go get google.golang.org/protobuf in the module, and generate again"},
	{GenerateForeign, "a file in the way was not generated", "A file of the name that is to be written is there, and does not begin as generated files do: it would be lost.", "move the file, or generate into another directory with --out"},
	{GenerateNoService, "there is nothing to generate for", "The directory has several services and none was named, or not the one that was.", "name one of them with --service"},
}
