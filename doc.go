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
// A record is finished when its handler returned nil, when the retry topic or
// the dead-letter topic has acknowledged it, or when an operator skipped it.
// Until then it is open, and the committed offset never passes an open record:
// after a crash every open record is handled again, so handlers must bear
// repetition. What is finished beyond the committed offset is noted in the
// commit's metadata and not repeated, as far as that has room.
//
// With "order: key" the records of a key are handled one at a time in the order
// of their offsets, and keys run in parallel. A handler that fails is tried
// again after the contract's delays; its key waits in order and other keys go
// on. Short waits are spent in the process, longer ones in the retry topic,
// where later records of the key queue up behind it: the order survives
// restarts, rebalances and former owners that do not know of their loss. After
// the last attempt, or at once for [Reject], the record goes to the dead-letter
// topic with its bytes as they were, or, with "then: park", its key waits for
// an operator. A handler that panics has failed. Cancellation is not failure: a
// record whose handling was cut short by shutdown, or because the partition
// went to another instance, burns no attempt and is handled again there.
//
// # What is bounded
//
// Each partition holds at most so many records, bytes, and finished records
// behind one that is stuck; beyond that it is not fetched. What waits in the
// retry topic takes memory for its place alone, and bounds the source when
// there is too much of it. The contract's breaker, bulkhead and rate hold
// records where they are, without a goroutine and without an attempt. All of
// this changes while the service runs, see [App.Tune].
//
// # What is derived
//
// Group, client id, principal, retry and dead-letter topics are names derived
// from the contract; nothing of it is configured in code. Policy lives in the
// contract and code only narrows it through what a handler returns.
//
// # Where to begin reading
//
// A record's way is take (consumer.go), handle (work.go), and, where it has to
// wait, yard.go. A partition's life is open.go, partition.go, assignment.go;
// commit.go is what is kept of it.
package slipway
