// Package pgtest gives tests databases of their own on one Postgres server.
// Where Postgres is not installed the test is skipped with one line that says
// what to install, and fails under CI=true.
package pgtest
