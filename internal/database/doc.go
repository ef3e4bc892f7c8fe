// Package database opens the database that DATABASE_URL names, Postgres or
// SQLite, for commands that read and steer a service's tables.
package database
