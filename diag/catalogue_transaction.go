package diag

// What can go wrong where records are handled in transactions.
const (
	TransactionPolicy     Code = "SLP-TXN-001"
	TransactionOldBrokers Code = "SLP-TXN-002"
	TransactionFailed     Code = "SLP-TXN-003"
	TransactionFenced     Code = "SLP-TXN-004"
	TransactionOverruled  Code = "SLP-TXN-005"
	TransactionRefused    Code = "SLP-TXN-006"

	TransactionUntriggered Code = "SLP-TXN-007"
	TransactionClusters    Code = "SLP-TXN-008"
)

var transactionEntries = []Entry{
	{TransactionPolicy, "a policy that transactions cannot keep", "A service with via: transaction commits what its handlers send together with the offsets of the records. What waits in a retry topic, or is read before it is committed, cannot be part of that.", "Follow the message: shorter delays or a longer retry.inPlace (at most 5m), then: dead-letter or then: stop, isolation: committed."},
	{TransactionOldBrokers, "the cluster's transactions are not safe enough", "Below transaction.version 2 a request of an ended transaction that arrives late can end the next one (KIP-890): records are lost, or seen though they were aborted.", "Raise it with kafka-features.sh upgrade --feature transaction.version=2 (Kafka 4.0 or newer), or write oldBrokers: allow in the contract's produces entry."},
	{TransactionFailed, "a transaction failed and is tried again", "The cluster did not take a transaction, or did not say whether it did. Nothing of it is visible, or all of it; which one is found out before anything else is committed.", "Nothing, if it passes. Otherwise see the error: a broker that is away, a right that is missing (run slipway plan), a topic without enough in-sync replicas."},
	{TransactionFenced, "somebody else uses the transactional id", "The cluster refused a transaction because its transactional id was taken over: two processes of the service run with the same instance name, or a transaction took longer than the cluster allowed and was ended by it.", "Give every process an instance name of its own (it defaults to the host name). If it was time that ran out, look at the brokers: the commit took longer than the transaction timeout."},
	{TransactionOverruled, "somebody else moved the group's offsets", "While the outcome of a transaction was unknown, the group's offsets were set to something that this service did not commit. Whether its transaction went through can no longer be told.", "The partition stands until it is assigned anew. Set offsets only while the service is stopped, and restart it now."},
	{TransactionRefused, "a topic refuses what is to be written in a transaction", "The topic is missing or denied, or a dead letter is larger than its topic takes. Nothing of the partition is committed until it is written; other partitions go on.", "Run slipway apply; for a dead letter that is too large raise the topic's max.message.bytes."},
	{TransactionUntriggered, "transactions that nothing begins", "With via: transaction a value is sent from within a handler, in one transaction with the offset of the record that is handled. The service has no handler: it consumes nothing in a group, so nothing could ever be sent.", "Use via: direct in the contract's produces entry, or add what the service consumes."},
	{TransactionClusters, "a transaction across clusters", "With via: transaction a service's handlers send in one transaction with the offsets of the records that they handle. A transaction is of one Kafka cluster: what is on another one cannot be part of it.", "Produce with via: direct or via: outbox to another cluster, and let its readers recognise repeats (dedup). Or split the service in two: one that handles in transactions on one cluster, one that copies to the other."},
}
