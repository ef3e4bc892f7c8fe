// Package render writes files that follow from contracts: the same contracts give
// the same bytes, one file per object, with comments that say which line of a
// contract a value came from.
//
// A [Target] derives files from an estate in an environment. [Write] puts them into
// a directory, and [Check] compares the directory with what would be written, so
// that CI keeps a repository true.
//
// # What is whose
//
// Nothing that somebody else wrote is overwritten, and no edit is lost. Beside the
// files stands a list of them with their checksums, one for each target, in the
// format of sha256sum, which belongs into version control with the files. From it
// follows whose a file is: one that is not listed is foreign, one that no longer
// has its checksum was edited by hand, and one that is listed and no longer follows
// from the contracts is stale. Stale files are removed. Foreign and edited ones
// that differ from what would be written are told of, all at once, before anything
// is written, unless the caller insists.
//
// Files appear whole or not at all, and the list last. A write that ends in the
// middle is completed by the next one: a file that already holds what would be
// written is nobody's edit.
package render
