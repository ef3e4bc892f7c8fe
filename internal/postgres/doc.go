// Package postgres runs a Postgres server on this machine's loopback, from the
// binaries of the distribution, for tests and for slipway up --store postgres.
//
// A server is a directory and a process. The directory keeps the data, the
// password and the port, so that a URL stays true over restarts; a process that
// is killed leaves a directory from which the next one recovers. Durability is
// Postgres's default (fsync on): what a test kills has to come back.
//
// The server listens on 127.0.0.1 alone, asks for a password (SCRAM-SHA-256),
// and dies with the process that started it. Postgres refuses to run as root:
// started by root it runs as the user postgres, or nobody, who owns the
// directory then.
package postgres
