// Package outbox makes a service's database and what it tells the world agree:
// both happen or neither does.
//
// [Do] is the one call of a handler. It runs a function in a database
// transaction, together with a row that says which message was handled (the
// inbox); [Send] inside of it adds rows that say what to publish (the outbox).
// One commit makes all of it true. A message that comes again finds its inbox
// row and is finished without running the function: "already done" is success,
// not an error.
//
// A relay publishes the outbox. It runs in every instance of the service
// ([Open] registers it with the app) and the instances share the work: rows are
// spread by key over 16 shards, a shard belongs to one instance for as long as
// its lease lasts, and what an instance may delete is fenced by the lease's
// generation.
//
// # What holds
//
//   - A committed row is published, whatever crashes: it is deleted only after
//     all in-sync replicas have the record.
//   - Rows of a topic and key are published in the order in which their
//     transactions committed. Send takes the key's turn until the commit, so two
//     transactions cannot write one key side by side; others do not wait.
//   - A row is seen however late its transaction commits: the relay asks for
//     the rows that are there, never for those after the last one it saw.
//   - A record may be published twice (a crash between the broker's
//     acknowledgement and the deletion, or a process that was stopped for
//     longer than its leases), with the same event id and never out of order
//     but for the repetition: readers with an inbox do not notice.
//   - A row that the cluster refuses holds back the later rows of its key and no
//     others, is told ([Box.Stuck], log, metric, health) and tried again.
//
// # The relay
//
// One goroutine does everything with rows. A round deletes what was
// acknowledged and reads the next batch of every shard whose last batch is
// through, in one transaction, then publishes what it read without waiting. What it
// sends belongs to the trace that the row was written in, as its headers say. A
// batch that takes longer than a quarter of a second no longer holds its shard
// up: its keys are left out of what is read, and the others go on.
//
// The relay looks often while there is work, and by [Config.Poll] while there
// is none. It is woken by [Do] after a commit in the same process, by
// [Box.Wake], and by Postgres's NOTIFY ([Config.Listen]). A
// notification is sent only to a relay whose lease row says that it sleeps:
// NOTIFY has all commits of a server queue up at one lock, which a busy
// service must not pay, and a busy relay looks by itself.
//
// # The tables
//
// slipway_outbox has the layout of Debezium's outbox event router (id,
// aggregatetype: the topic on the cluster, aggregateid: the key, type, payload:
// the framed value), and beside it:
//
//   - shard and seq, the primary key: where the row is and which it is. Postgres
//     draws seq after the key's turn was taken. Rows that are not due yet are in
//     the mirror shard below zero, so that reading does not pass over them, and
//     get a new seq when they come due.
//   - turn, a hash of topic and key: rows that have the same are kept in order.
//   - headers, all of the record's headers in one value; created and due, in
//     microseconds since 1970; problem, why the cluster refused the row.
//   - source, occurred, mime and trace, which only rows for Debezium have: it
//     makes headers of columns and of nothing else.
//
// slipway_outbox_lease has a row for each shard: its owner, the generation, until
// when, and whether the owner sleeps. slipway_outbox_relay has the instances
// that take part, so that each knows its fair share. slipway_inbox is described
// at [Do]. slipway_version says how far the tables are.
//
// Tables are made by [Migrate], or by the statements that [Schema] prints for
// migration tools. They are the same for Postgres and SQLite but for the types.
//
// # What it costs
//
// Rows that were published are deleted, so the table is as long as the backlog,
// and on Postgres autovacuum is set to look after it every few thousand rows;
// inbox rows are kept for the contract's dedup ttl and then deleted in small
// steps. A message that comes again after that is handled again: the window is
// the contract's, and it never needs to be longer than the source topic's
// retention.
//
// A key that is held back for long makes reading its shard slower, since its
// rows are passed over one by one. A transaction that stays open, or a
// replication slot that nobody reads, keeps dead rows in the table.
package outbox
