// Package store keeps the state of one service: an embedded SQLite file today,
// Postgres behind the same [DB] when a service outgrows its file.
//
// A service writes in short transactions, one at a time ([DB.Update]), and
// reads beside them without waiting ([DB.Reader]). The SQL of the services
// keeps to what SQLite and Postgres both understand: placeholders $1, $2, ON
// CONFLICT, no dates. Where they differ, the schema has a token ([Serial]).
//
// # What a crash costs
//
// SQLite runs with a write-ahead log and synchronous=NORMAL. What was committed
// survives the death of the process, kill -9 included. It does not survive a
// power cut in the moment after the commit: whoever needs that sets
// synchronous=FULL in the URL and pays one flush for each transaction.
package store
