// Package lag judges how far a consumer group is behind in one partition: in
// records, in seconds, and as a status that says whether anyone needs to look.
// It is pure: samples come in, answers go out, and time is what the samples
// say.
//
// # Why a status
//
// A number of records says little. A thousand may be an instant of a busy topic
// or a day of a quiet one, and a threshold on it rings at every burst and
// sleeps through a consumer that stopped on a quiet night. What tells trouble
// is how the committed offset and the end of the log move against each other
// over a while. The rules follow those that Burrow made known, applied to
// samples taken at intervals instead of to each commit. In this order:
//
//   - ERR: the committed offset lies outside of the log. Below its start,
//     retention has deleted records that were not read; above its end, the
//     topic was made anew or lost its tail.
//   - REWIND: the committed offset went back within the window.
//   - OK: the lag was zero at some time within the window: whoever catches up
//     now and then keeps up.
//   - STOP: there is lag, nobody holds the partition, and its offset did not
//     move in the window.
//   - STALL: somebody holds the partition, the offset did not move in the
//     whole window, and there is lag.
//   - WARN: the offset moves, and the lag grew or stayed between every two
//     samples: it moves too slowly.
//   - OK otherwise.
//
// Two differences from Burrow are meant. A rewind is told even if the lag was
// zero before it, because that is where most rewinds begin. And a stopped group
// is known by its missing member and not by missing commits, so a group that
// has nothing to commit is no alarm, and a lag does not freeze at its last
// value when the consumer dies.
//
// STALL and WARN need [MinSamples] samples; before that the answer is [Unsure].
//
// # Lag in seconds
//
// The oldest unfinished record was appended when the end of the log passed the
// committed offset. [Window] keeps when it saw which end and interpolates
// between the two sightings around that moment, so it is wrong by at most the
// time between them. It needs no right to read records and no trust in
// producers' clocks. What was appended before the first sighting is at least
// as old as that; the answer then says that it is not exact, unless somebody
// tells by [Window.Since] of what time it is.
package lag
