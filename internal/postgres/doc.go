// Package postgres runs a Postgres server on this machine's loopback, from the
// binaries of the distribution, for tests and for slipway up --store postgres.
// A server is a directory and a process; a process that is killed leaves a
// directory from which the next one recovers.
package postgres
