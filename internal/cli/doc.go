// Package cli is the slipway command.
//
// [Main] runs one command line and returns its exit status; it touches no
// global state, so a test runs it as the shell does. Each command is a
// constructor that declares flags and fills arguments, and a run function that
// holds no flag and no stream: it calls an engine, hands the answer to the view
// and returns an error. Errors become exit statuses in one place, [status]:
//
//	0    ok
//	1    an error, or an item that failed
//	2    differences or findings, where they were asked for
//	3    refused by a guard; nothing was changed
//	64   usage, or an invalid contract
//	130  interrupted
//
// Secrets never come through the command line, because every process of the
// machine could read them there: a flag that looks like one is refused before
// anything is parsed, without repeating its value. Directories named by the
// user are opened as roots, so that nothing outside of them is read.
//
// Nothing is asked, painted or animated unless there is a terminal.
package cli
