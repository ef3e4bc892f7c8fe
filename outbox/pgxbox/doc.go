// Package pgxbox is package outbox for services that use pgx without
// database/sql: [Send] takes a [pgx.Tx], and [Listen] has Postgres wake the
// relay.
//
// The tables are the same, and so is the relay, which itself uses database/sql:
// open it with stdlib.OpenDBFromPool, and it shares the service's pool. A
// service that writes rows by pgx and one that uses database/sql may share a
// database.
//
// A transaction of [outbox.Do] is one of database/sql. Where it has to be one of
// pgx, for COPY or batches, take the connection beneath it with
// [database/sql.Conn.Raw] in a transaction of one's own.
package pgxbox
