// Package pgxbox is package outbox for services that use pgx without
// database/sql: the same tables, the same relay, pgx's own transactions.
package pgxbox
