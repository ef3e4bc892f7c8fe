package diag

// The inbox, and the outbox in the contract.
const (
	InboxMissing    Code = "SLP-OBX-030"
	InboxField      Code = "SLP-OBX-031"
	InboxBypassed   Code = "SLP-OBX-032"
	OutboxUnused    Code = "SLP-OBX-033"
	OutboxConnector Code = "SLP-OBX-034"
	RedriveTooOld   Code = "SLP-OBX-035"
)

// The inbox, and the outbox in the contract: SLP-OBX from 030 on.
var inboxEntries = []Entry{
	{InboxMissing, "nothing keeps the ids of handled messages", "The contract promises with dedup that a repeated message is known, and the program opens no inbox that would know it.", "Open the service's database with outbox.Open and handle the entry's messages in outbox.Do; or remove dedup."},
	{InboxField, "dedup names a field that is not there", "The value has no field of the name that dedup.by gives, or none whose text can be an id; or the handler takes bytes, which have no fields.", "Name a field of the schema that is a string, a number or bytes, or identify messages by a header: by: \"header:ce_id\"."},
	{InboxBypassed, "a message was handled without its id being kept", "The contract has dedup for the entry, and its handler returned nil for a message without outbox.Do: should the message come again, it is handled again. It is told once for each entry and life of the service.", "Make the handler's effects in outbox.Do. A handler that returns without any effect needs none: then nothing is wrong."},
	{OutboxUnused, "outbox settings without an outbox", "The contract has an outbox block, and no topic with via: outbox.", "Write via: outbox for the topics whose records go through the database, or remove the block."},
	{OutboxConnector, "Debezium cannot relay the outbox", "The contract chooses Debezium as the outbox's relay: a connector that reads the database's log. It needs to know the database, a Kafka Connect to run on whose principal may write the topics, one cluster for all of them, and a key for every row.", "Write outbox: {relay: debezium, database: {host, name, user, password}}, where password is a reference that the Connect workers resolve, and have the database's owner run once: CREATE ROLE <user> WITH LOGIN REPLICATION PASSWORD '…'; GRANT USAGE ON SCHEMA public TO <user>; GRANT SELECT ON slipway_outbox TO <user>; CREATE PUBLICATION slipway_<service>_<environment> FOR TABLE slipway_outbox WITH (publish = 'insert'). Where there is no Kafka Connect, as on the embedded cluster, write relay: slipway for that environment."},
	{RedriveTooOld, "dead letters are older than what is remembered", "The service forgets the ids of handled messages after dedup.ttl; a dead letter that first came before that may have been handled since, and would be handled again.", "Leave the old ones out with --since; or look at them, and pass --allow-duplicates if handling them twice does no harm."},
}
