// Package render writes files that follow from contracts: the same contracts give
// the same bytes, one file per object, with comments that say which line of a
// contract a value came from.
//
// A [Target] derives files from an estate in an environment. [Write] puts them into
// a directory without touching what is not its own; [Check] compares the directory
// with what would be written, so that CI keeps a repository true.
package render
