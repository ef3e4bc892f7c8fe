package diag

// What can be wrong with AsyncAPI documents that contracts are made from, and with
// rendering pipelines.
const (
	AsyncAPIVersion   Code = "SLP-RND-060"
	AsyncAPIReference Code = "SLP-RND-061"
	AsyncAPIElement   Code = "SLP-RND-062"
	AsyncAPIProtocol  Code = "SLP-RND-063"
	AsyncAPITopic     Code = "SLP-RND-064"
	AsyncAPIContract  Code = "SLP-RND-065"

	PipelineDirectory Code = "SLP-RND-070"
)

var documentEntries = []Entry{
	{AsyncAPIVersion, "the file is not an AsyncAPI document that is read here", "A contract is made from a document of AsyncAPI 3, or of 2 from 2.0 to 2.6, which says so in its key asyncapi.", "name such a document, or save the one that you have as version 3, such as 3.0.0, or as 2.0 to 2.6"},
	{AsyncAPIReference, "a reference leads nowhere", "A $ref names an element that the document does not have, leads in a circle, or leads to another file or address. One document is read, and nothing is fetched.", "correct the $ref, or put what it refers to into the document; AsyncAPI's own bundler does that for several files"},
	{AsyncAPIElement, "an element of an AsyncAPI document is not what belongs there", "Something has another type than AsyncAPI gives it, lacks what it needs, or what stands below x-slipway is not what slipway render asyncapi writes.", "correct the place that is named"},
	{AsyncAPIProtocol, "an AsyncAPI document is not about Kafka", "No server of the document speaks the protocol kafka or kafka-secure, and a contract is about topics of Kafka.", "name a document of a service that uses Kafka"},
	{AsyncAPITopic, "a channel cannot be a topic of Kafka", "A topic has one name of at most 249 letters, digits, dots, underscores and hyphens, known in advance: no parameters, no slashes, and no address that is made up at run time.", "give the channel the topic's name as its address, or name the topic in its Kafka binding"},
	{AsyncAPIContract, "what an AsyncAPI document says is no valid contract", "The contract that would be written is refused, for the reason that is told. Nothing was written.", "correct the place of the document that is named"},
	{PipelineDirectory, "a directory's name would be run by a pipeline", "GitHub fills in what stands between ${{ and }} wherever a workflow has it, the names of directories included.", "rename the directory"},
}
