// Package slipway holds a running service to its contract.
//
// An [App] is made from a service's files (slipway.yaml and its schemas,
// embedded in the binary) and its surroundings ([Environment]). [Handle]
// registers the function that handles a consumed topic, [NewProducer] makes
// what writes a produced one, and [App.Run] starts, works until its context
// ends, and drains. Code and contract are checked against each other before
// the first record is fetched: a handler for a topic that is not consumed, a
// consumed topic without a handler, a Go type that cannot hold the schema is
// each an error that says what to change.
//
// # What happens to a record
//
// A record is finished when its handler returned nil or when the dead-letter
// topic acknowledged it. Until then it is open, and the committed offset never
// passes an open record: after a crash every open record is handled again, so
// handlers must bear repetition. With "order: key" the records of a key are
// handled one at a time in the order of their offsets, and keys run in
// parallel. A handler that fails is tried again after the contract's delays;
// its key waits in order and other keys go on. After the last attempt, or at
// once for [Reject], the record goes to the dead-letter topic with its bytes as
// they were. A handler that panics has failed. Cancellation is not failure: a
// record whose handling was cut short by shutdown, or because the partition
// went to another instance, burns no attempt and is handled again there.
//
// # What is derived
//
// Group, client id, principal, dead-letter topics are names derived from the
// contract; nothing of it is configured in code. Policy lives in the contract
// and code only narrows it through what a handler returns.
//
// Until the retry topic exists, delays run inside the process. A waiting record
// never holds up a shutdown: it is given back and handled again elsewhere.
package slipway
