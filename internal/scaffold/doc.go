// Package scaffold writes a new service: a commented contract, its schema, and
// a program with a handler and tests that compile and pass as they are.
//
// [Write] makes files and never changes any: if one of them exists, nothing is
// written. What it wrote before an error is removed again. The directory is
// opened as a root, so a link inside of it leads nowhere else.
//
// Inside a Go module the service becomes a package of it; elsewhere it gets a
// go.mod of its own. No command is run and nothing is fetched: the result says
// what is left for the user to do.
package scaffold
