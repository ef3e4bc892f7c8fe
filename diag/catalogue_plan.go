package diag

// Reaching a cluster and being let in.
const (
	KafkaUnreachable  Code = "SLP-KFK-001"
	KafkaTimeout      Code = "SLP-KFK-002"
	KafkaLogin        Code = "SLP-KFK-003"
	KafkaMechanism    Code = "SLP-KFK-004"
	KafkaUntrusted    Code = "SLP-KFK-005"
	KafkaCertificate  Code = "SLP-KFK-006"
	KafkaTLSMismatch  Code = "SLP-KFK-007"
	KafkaLoginMissing Code = "SLP-KFK-008"
	KafkaIterations   Code = "SLP-KFK-009"
	KafkaPlaintext    Code = "SLP-KFK-010"
	KafkaDenied       Code = "SLP-KFK-011"
	KafkaRefused      Code = "SLP-KFK-012"
	KafkaAddress      Code = "SLP-KFK-013"
)

// Bindings that would give a service more than its own.
const (
	ACLGroupShared         Code = "SLP-ACL-001"
	ACLTransactionalShared Code = "SLP-ACL-002"
)

// Planning and applying.
const (
	PlanWrongCluster   Code = "SLP-PLN-001"
	PlanNeedsAllow     Code = "SLP-PLN-002"
	PlanImpossible     Code = "SLP-PLN-003"
	PlanItemFailed     Code = "SLP-PLN-004"
	PlanNoRegistry     Code = "SLP-PLN-005"
	PlanNoPassword     Code = "SLP-PLN-006"
	PlanUnknownCluster Code = "SLP-PLN-007"
	PlanUnknownName    Code = "SLP-PLN-008"
	PlanUnknownAllow   Code = "SLP-PLN-009"
	PlanSchemaMissing  Code = "SLP-PLN-010"
)

var planEntries = []Entry{
	{
		Code:  KafkaUnreachable,
		Title: "No broker of the cluster can be reached",
		Cause: "Nothing listens at the bootstrap addresses, their names do not resolve, or the network refuses the way there.",
		Fix:   "Check bootstrap in clusters.yaml (or BOOTSTRAP_SERVERS) and that the brokers run; a service reaches them through the listener for its own kind of authentication.",
	},
	{
		Code:  KafkaTimeout,
		Title: "The cluster does not answer in time",
		Cause: "The address leads somewhere that takes packets and returns none: a firewall, a wrong port, a stopped or overloaded broker.",
		Fix:   "Check the address and the firewall rules between here and the brokers; raise --timeout if the cluster is known to be slow.",
	},
	{
		Code:  KafkaLogin,
		Title: "The cluster refused the login",
		Cause: "The user does not exist on the cluster, has no password for this SCRAM mechanism, or the password is another one. Some brokers say so, some only close the connection.",
		Fix:   "Run slipway plan to see whether the user exists; slipway apply creates it. If the password was changed, deliver the new one to SASL_PASSWORD_PATH.",
	},
	{
		Code:  KafkaMechanism,
		Title: "The cluster does not offer this way to log in",
		Cause: "The listener is not configured for the SASL mechanism that identity.auth names.",
		Fix:   "Use the listener that offers it (bootstrap in clusters.yaml), or change identity.auth to a mechanism it offers.",
	},
	{
		Code:  KafkaUntrusted,
		Title: "The broker's certificate is not trusted",
		Cause: "The certificate is not signed by the CA in use, does not name the address that was dialled, or has expired.",
		Fix:   "Check ca.file in clusters.yaml (or TLS_CA_PATH) and that the bootstrap address is a name in the broker's certificate.",
	},
	{
		Code:  KafkaCertificate,
		Title: "The broker wants another client certificate",
		Cause: "The listener demands a certificate and none was sent, or the one sent is expired or signed by a CA the broker does not trust.",
		Fix:   "Check TLS_CERT_PATH and TLS_KEY_PATH, and that the listener is the one for identity.auth: scram services use bootstrap.scram.",
	},
	{
		Code:  KafkaTLSMismatch,
		Title: "One side speaks TLS and the other does not",
		Cause: "TLS was spoken to a plaintext listener, or plaintext to a TLS listener; the broker hung up or answered with something else.",
		Fix:   "Dial the port of the listener that matches, usually 9093 or 9094 for TLS; set ca in clusters.yaml (or TLS_CA_PATH) to speak TLS.",
	},
	{
		Code:  KafkaLoginMissing,
		Title: "The cluster hangs up on a client without a login",
		Cause: "The listener demands SASL and the client has neither user nor password for it.",
		Fix:   "Give user and password (SASL_PASSWORD_PATH), or use the listener for mTLS.",
	},
	{
		Code:  KafkaIterations,
		Title: "The broker asks for an absurd number of SCRAM iterations",
		Cause: "A server may make its clients hash as long as it likes; a hostile or broken one asks for so much that logging in takes minutes, or so little that the password can be guessed.",
		Fix:   "Check that the address is really the cluster's. On the cluster, set the user's iterations to 8192.",
	},
	{
		Code:  KafkaPlaintext,
		Title: "Refused to talk to another machine without TLS",
		Cause: "Passwords and records would cross the network readable and changeable by anyone on the way.",
		Fix:   "Set ca for the cluster in clusters.yaml (or TLS_CA_PATH) and use its TLS port. Plaintext is for loopback addresses only, PLAIN never goes without TLS.",
	},
	{
		Code:  KafkaDenied,
		Title: "The cluster does not allow this to the principal",
		Cause: "The login works, and its principal lacks the right for the request.",
		Fix:   "slipway acl bootstrap --principal User:NAME prints the rights that plan and apply need for the principal they run as; have the platform team grant them, or use its credential.",
	},
	{
		Code:  KafkaRefused,
		Title: "The cluster refused a request",
		Cause: "The broker answered with an error that is neither about the login nor about rights.",
		Fix:   "The message holds the broker's own words; act on them and run the command again: what was done already is not done twice.",
	},
	{
		Code:  KafkaAddress,
		Title: "A bootstrap address cannot be used",
		Cause: "Bootstrap is empty, or an address is not host:port.",
		Fix:   "Write bootstrap as host:port, several separated by commas, for the listener in question.",
	},
	{
		Code:  ACLGroupShared,
		Title: "Two services would share a consumer group",
		Cause: "Members of one group divide its partitions among themselves, so each service would miss what the other one reads; each could also move the other's offsets.",
		Fix:   "Give each service its own group: drop adopt.group from one of the contracts, or make it one contract.",
	},
	{
		Code:  ACLTransactionalShared,
		Title: "Two services would share transactional ids",
		Cause: "The transactional prefix of one service begins the other's, so one could fence the other's transactions and abort them.",
		Fix:   "Choose adopt.transactionalPrefix so that no service's prefix begins with another's; ending it in a dot does it.",
	},
	{
		Code:  PlanWrongCluster,
		Title: "The plan is for another cluster",
		Cause: "The cluster at the bootstrap addresses has another id than the one pinned in clusters.yaml: an address points elsewhere, or the cluster was built anew.",
		Fix:   "Check bootstrap and --cluster. If the cluster was meant to be replaced, write its new id into clusters.yaml.",
	},
	{
		Code:  PlanNeedsAllow,
		Title: "A change needs to be allowed by name",
		Cause: "The change disturbs running services or deletes data, so it is never made in passing.",
		Fix:   "Read what the plan says about it, then run apply again with the --allow it names.",
	},
	{
		Code:  PlanImpossible,
		Title: "Kafka cannot make this change",
		Cause: "The contract asks for something that cannot be done to what exists, such as fewer partitions.",
		Fix:   "Put the contract back to what exists, or make a new topic with the next version in its name and move readers and writers over.",
	},
	{
		Code:  PlanItemFailed,
		Title: "A change could not be applied",
		Cause: "The cluster or the registry refused this one change; the others were tried all the same.",
		Fix:   "Act on the message and run apply again: it does only what is missing.",
	},
	{
		Code:  PlanNoRegistry,
		Title: "There are schemas and no registry to put them in",
		Cause: "Contracts of this environment have schemas, and its cluster has no registry in clusters.yaml.",
		Fix:   "Add registry: {url: …} to the cluster in clusters.yaml.",
	},
	{
		Code:  PlanNoPassword,
		Title: "There is no password for a user that must be created",
		Cause: "Apply creates SCRAM users with passwords that it is given, and it was given none for this one.",
		Fix:   "Provide a password for the user, or change identity.auth to mtls.",
	},
	{
		Code:  PlanUnknownCluster,
		Title: "The environment has no such cluster",
		Cause: "No entry of the environment is bound to the cluster, or clusters.yaml does not declare it.",
		Fix:   "Check environments and clusters in clusters.yaml, and --env and --cluster.",
	},
	{
		Code:  PlanUnknownName,
		Title: "Nothing of that name follows from the contracts",
		Cause: "No contract of the estate, in this environment, leads to a topic, group, user, subject or ACL of the name.",
		Fix:   "Check the spelling and --env; slipway plan lists what a cluster lacks of what the contracts lead to, and slipway up prints what it creates on a cluster of its own. Diagnostic codes look like SLP-PLN-008.",
	},
	{
		Code:  PlanUnknownAllow,
		Title: "An --allow matches no change of the plan",
		Cause: "The plan has no change that needs this permission: it is misspelt, or what it was for has been done.",
		Fix:   "Write it as the plan prints it, such as repartition:orders.created.v1, or leave it out.",
	},
	{
		Code:  PlanSchemaMissing,
		Title: "The schema of a topic is not there",
		Cause: "A contract names a schema file whose text was not loaded with it.",
		Fix:   "Run slipway validate; it names the file and what is wrong with it.",
	},
}
