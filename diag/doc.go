// Package diag holds what Slipway tells a user when something is wrong.
//
// A [Diagnostic] is one problem: a stable code, a severity, one sentence, the
// place it was found, the evidence for it and what to do about it. Contract,
// plan, the SDK's start-up checks and the commands all return diagnostics, so
// a problem reads the same in a terminal, in JSON and in a test.
//
// A [List] is every problem found in one pass. It is an error only through
// [List.Err], because warnings alone are not a failure.
//
// Every code is declared here, in one catalogue ([Catalogue]), with its cause
// and its fix in general terms; a diagnostic adds what is particular to the
// case. Codes are never reused and never change their meaning.
//
// The package is pure: it prints nothing and knows no terminal. Text that came
// from a file, a server or an environment variable is escaped when it is
// rendered ([Escape]), so that nothing outside can move a user's cursor.
package diag
