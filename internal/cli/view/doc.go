// Package view writes what commands have to say.
//
// Out is for the answer and nothing else: a table for people, the names alone,
// or one JSON or YAML document with its kind and version, which are the same
// document and the same bytes for the same answer. Err is for everything else:
// problems, questions, progress. With JSON or YAML, problems are a document
// too.
//
// Text that came from files, servers or the environment is escaped on its way
// out, in every format, so that no control character, terminal sequence or
// mark that reorders text reaches the terminal. In JSON and YAML the escapes
// are those of the format, so nothing is lost.
//
// A view decides nothing and knows no flag. Colour is used only when the
// caller says that Err takes it.
package view
