// Package history judges what a run of producers and consumers did by what
// they wrote down while doing it.
//
// A history is a slice of [Event]: what was sent, read, applied and committed,
// which faults were injected, and what was drained at the end. The clients
// write it, never the system that is judged: a sender notes a [Send] before it
// sends and again when it knows the outcome, a handler notes an [Effect], or
// its ledger is read afterwards. [Check] takes the events in any order and from
// any number of processes and returns a [Verdict].
//
// A verdict has three results. [Fail] means that at least one anomaly ([Kind])
// was seen; each comes with a count and its first witnesses. [Pass] means that
// none was seen and that the history is complete. Everything else is
// [Unknown]: nothing was sent, a topic or a group has no [Final], an effect
// never told its outcome, or more than one send in twenty is indefinite. A run
// cut short is therefore never green.
//
// What counts:
//
//   - A record is known by its topic and id. An acknowledged send must be read
//     where a Final says the topic was read to its end, and settled (applied or
//     dead-lettered) exactly once by every group whose Final says that it
//     drained the topic. A send without an outcome may or may not exist, but
//     once anybody saw it, it must be there for all.
//   - Where [Send.Seq] is set, the key's records are handled in that order,
//     the next one not before the one before it is settled, and never two at a
//     time. An attempt that failed is an attempt: it takes part in both rules.
//   - A commit at offset n says that every record of the partition below n is
//     settled or parked. The earliest record the group handled is where the
//     rule begins.
//   - A handler does not start for a partition that its own worker has noted
//     as revoked.
//
// Transactions are not part of the vocabulary yet.
//
// The package is pure and imports the standard library only. [Check] keeps its
// index in memory, about half a kilobyte for each event.
package history
