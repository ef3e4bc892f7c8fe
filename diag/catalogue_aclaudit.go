package diag

// What putting rights into the words of other tools, and reading an
// authorizer's log, can stumble on.
const (
	ACLUnprintable     Code = "SLP-ACL-040"
	ACLNoKafkaUser     Code = "SLP-ACL-041"
	ACLOtherCredential Code = "SLP-ACL-042"
	ACLNoLog           Code = "SLP-ACL-043"
	ACLLineUnknown     Code = "SLP-ACL-044"
)

var aclAuditEntries = []Entry{
	{
		Code:  ACLUnprintable,
		Title: "A name cannot be put on a command line",
		Cause: "The name holds control characters or marks that reorder text. A terminal acts on them while a line is pasted, whatever quotes are around it.",
		Fix:   "Use slipway apply, which sends the name as it is, or give the group or principal another name.",
	},
	{
		Code:  ACLNoKafkaUser,
		Title: "Something cannot be a Strimzi KafkaUser",
		Cause: "Strimzi's operator makes the principal from the object's own name, which must be a lower-case DNS name, and it knows rights on topics, groups, transactional ids and the cluster only.",
		Fix:   "Grant these with slipway apply or -o kafka-acls, and leave them out here with --service.",
	},
	{
		Code:  ACLOtherCredential,
		Title: "Strimzi would let the service log in otherwise than its contract says",
		Cause: "Strimzi manages certificates, whose principal is User:CN=<name>, and SCRAM-SHA-512, and nothing else.",
		Fix:   "Make the contract and Strimzi agree: identity.auth, or adopt.principal: CN=<name> for a certificate of Strimzi's.",
	},
	{
		Code:  ACLNoLog,
		Title: "There is no authorizer's log to read",
		Cause: "The file cannot be read, or no line of it is a decision of Kafka's authorizer.",
		Fix:   "Name the file that the logger kafka.authorizer.logger writes to, usually kafka-authorizer.log on every broker; at level INFO it holds what was denied.",
	},
	{
		Code:  ACLLineUnknown,
		Title: "Lines of an authorizer's log were not understood",
		Cause: "They speak of a principal, and not the way Kafka's authorizers do: they were cut short, or another authorizer wrote them.",
		Fix:   "Look at the lines that are told; what they say is in no figure.",
	},
}
