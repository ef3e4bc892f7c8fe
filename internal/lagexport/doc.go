// Package lagexport tells Prometheus of the lag of consumer groups as the brokers
// see it, so that it is known when the pods that would tell it themselves are dead.
//
// An [Exporter] looks at the cluster every now and then, and what it saw last is
// what it exports. A look is a handful of requests to each broker, however many
// groups there are, and takes DESCRIBE on the groups and their topics, nothing
// more: not a record is read.
//
// # What is not known is not exported
//
// A number that is no longer true is worse than none. So a look that fails takes
// all series away but those of the exporter's own health, and a group, a topic or
// a partition that could not be looked at has no series until it can be. A group
// that nobody knows has its state, Dead, and nothing else. A position beyond the
// end of the log has a status and no lag. A partition in which the group has no
// position has a lag only if the contract says that it is read from the start:
// what else a group would do there, only its members know.
//
// What waits in a retry topic waits on purpose. It is exported under a name of
// its own and not judged, so that a sum over lag is what is behind.
//
// # Seconds
//
// The lag in seconds is the age of the oldest record that is not finished, found
// by when the end of the log passed the committed offset (package lag). What was
// there before the exporter first looked is dated once by the timestamps of the
// records, which takes no right to read them. If that fails, seconds count from
// the first look: they may be too small.
package lagexport
