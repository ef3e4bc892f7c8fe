// Package database opens the database that DATABASE_URL names, Postgres or
// SQLite, for commands that read and steer a service's tables, and for tests of
// both. It links both drivers: a service opens its database itself, with the
// driver it wants.
package database
