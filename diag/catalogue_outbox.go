package diag

// The outbox and its relay.
const (
	OutboxDatabase Code = "SLP-OBX-001"
	OutboxTables   Code = "SLP-OBX-002"
	OutboxConfig   Code = "SLP-OBX-003"
	OutboxStuck    Code = "SLP-OBX-004"
	OutboxBehind   Code = "SLP-OBX-005"
)

// The outbox and its relay: SLP-OBX from 001 on.
var outboxEntries = []Entry{
	{OutboxDatabase, "the outbox cannot be in this database", "The database is neither Postgres from version 13 on nor SQLite.", "Give outbox.Open a *sql.DB of a supported database, such as one of pgx's stdlib or modernc.org/sqlite."},
	{OutboxTables, "the outbox's tables are missing or old", "The service's database has no outbox tables in the search path, or those of an older version of Slipway.", "Call outbox.Migrate before the service runs, or have your migration tool run what outbox.Schema prints."},
	{OutboxConfig, "the outbox's configuration is wrong", "A field of outbox.Config is missing or out of its bounds.", "Correct the fields that the message names."},
	{OutboxStuck, "a row of the outbox cannot be published", "The cluster refuses the record for good: it is too large for the topic, the topic is missing, or the service may not write to it. The row and the later ones of its key wait; other keys go on.", "Mend what the message names (raise the topic's max.message.bytes, create the topic, grant the right): the relay tries again by itself. To give the record up, delete its row from slipway_outbox."},
	{OutboxBehind, "the outbox's relay does not come through", "The relay cannot reach the database or gets no acknowledgement from the cluster, so rows that were committed wait.", "Look at the cause in the message: the database's log, the cluster's health, the service's rights."},
}
