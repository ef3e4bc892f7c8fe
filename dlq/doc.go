// Package dlq reads dead letters and sends them back to the service that gave
// up on them.
//
// # What is authoritative
//
// A dead-letter topic is evidence. The service writes it and never reads it; an
// operator's tools read it and write commands into the service's retry topic,
// which only the group that failed works. So a redrive reaches that group and
// nobody else, and the topic it consumes is not written to.
//
// The headers of a letter are evidence too, and anybody who may write the topic
// can write any header. Nothing is sent where a header says: topics come from
// the contract ([Sources]), and a partition that a header names is used only if
// the rest of the evidence agrees with the contract and the retry topic has it.
// Numbers are clamped, texts are cut, and what cannot be is kept as a fault of
// the [Letter], for which a redrive refuses it.
//
// # What is sent
//
// A parked letter says that a key waits behind a record: it is answered by a
// command that releases this ticket, or one that skips it. Any other letter
// holds the original record: it is answered by a command that carries the
// record and has it handled again. The ticket of an injected record is its
// place in the dead-letter topic, in a life named after the redrive and the
// dead-letter partition, so that a command which is sent twice is recognised
// and handled once.
//
// # What is remembered
//
// The state of a redrive is in the committed offsets of its own group: how far
// it has read, what it selects, its id, and which letters were ever sent
// (see [Progress]). It is committed before the first command, once a second,
// and at the end. After kill -9 the same redrive goes on from the last commit
// with the same id; what it sends again is recognised by the service. A letter
// that was sent is not sent by later redrives either, unless they ask for it.
// Brokers forget the offsets of an unused group after a week
// (offsets.retention.minutes), and with them what was sent.
//
// A redrive whose letters die again ends: each round is counted in a header
// that travels with the record, and above a limit a letter is refused.
package dlq
