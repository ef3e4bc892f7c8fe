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
// A [Relay] publishes the outbox. It runs in every instance of the service
// ([Open] registers it with the app) and the instances share the work: rows are
// spread by key over shards, a shard belongs to one instance for as long as its
// lease lasts, and what an instance may mark is fenced by the lease's number.
//
// # What holds
//
//   - A committed row is published, whatever crashes: a row is marked only
//     after all in-sync replicas have the record.
//   - Rows of a topic and key are published in the order in which their
//     transactions committed. Send takes the key's turn until the commit, so two
//     transactions cannot write one key side by side; others do not wait.
//   - A row is seen however late its transaction commits: the relay asks for
//     rows that are not marked, never for those after a position.
//   - A record may be published twice (a crash between the broker's
//     acknowledgement and the mark), with the same event id: readers with an
//     inbox do not notice.
//
// # What it costs
//
// The relay is woken by the commit (NOTIFY on Postgres, a channel in one
// process) and looks by itself every [Config.Poll]. Rows that were published
// are deleted in the marking transaction itself, so the table is as long as the
// backlog; inbox rows are kept for the contract's dedup ttl and then deleted in
// small steps. A message that comes again after that is handled again: the
// window is the contract's, and longer than the source topic's retention it
// needs never be.
//
// Tables are made by [Migrate], or by the statements that [Schema] prints for
// migration tools. They are the same for Postgres and SQLite but for the types.
package outbox
