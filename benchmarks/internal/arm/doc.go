// Package arm is the program under test of a benchmark: one client library
// doing one job, in a process of its own, so that its processor time and
// memory are its own.
//
// The driver hands an arm its [Spec] as JSON and reads its [Result]. What a
// client does with a record is the same for all of them: a [Loop] hands it to
// the job's handler, which checks it, sleeps for as long as its work takes, and
// counts it. The check is part of what is measured, in every arm alike: that no
// record came twice, and where order is promised, that no two records of a key
// overlapped or came the wrong way round.
//
// Each client is set up as its own documentation says to for throughput, with
// the reason beside every setting; what is alike is the work: the same topic,
// the same group protocol with its default timeouts, and commits once a second.
package arm
