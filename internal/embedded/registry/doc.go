// Package registry is a small schema registry with Confluent's HTTP API, for
// development and tests: no process to install, ready at once.
//
// What it answers is the truth. Schemas are parsed before they are accepted,
// compatibility is checked at all seven levels, and where a check is not
// implemented the answer is "incompatible", never "compatible". Routes, codes
// and errors are those of Apicurio 2.6.13's Confluent API; one conformance
// suite runs on both and lists the differences that are meant.
//
// A [Registry] holds everything in memory and writes each change to a journal
// before it answers, so that what was answered survives kill -9. A line that
// was torn by a crash is cut off when the journal is opened; damage anywhere
// else refuses to open, because ids that change their meaning would corrupt
// every topic.
//
// Two credentials exist: services read, apply writes. TLS is the listener's
// matter. Subjects and versions are deleted softly only: ids in records stay
// readable.
package registry
