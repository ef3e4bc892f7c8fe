// Package store opens the database of one service: an embedded SQLite file, or
// Postgres when a service outgrows its file. DATABASE_URL decides.
//
// A service writes in short transactions ([DB.Update]) and reads beside them
// without waiting ([DB.Reader]). Its SQL keeps to what both databases
// understand: placeholders $1, $2, ON CONFLICT, no dates. Where they differ,
// the schema has a token ([Serial]) or a part for each ([OnSQLite],
// [OnPostgres]).
//
// # Who waits for whom
//
// On SQLite transactions that write take turns. On Postgres they run side by
// side, so whoever reads a row in order to change it takes the row first, with
// an UPDATE: the shop's code does that on both, where it costs nothing.
//
// # What a crash costs
//
// SQLite runs with a write-ahead log and synchronous=NORMAL. What was committed
// survives the death of the process, kill -9 included. It does not survive a
// power cut in the moment after the commit: whoever needs that sets
// synchronous=FULL in the URL and pays one flush for each transaction. Postgres
// keeps what it committed.
package store
