// Package group looks at consumer groups and moves them: how far they are
// behind and who reads what ([Admin.Lag]), and to another place
// ([Admin.Seek], [Admin.Restore], [Admin.Migrate], [Admin.Leave]).
//
// # Moving is two steps
//
// Whatever moves a group first answers with a [Move]: every partition with
// where it is, where it would be, and how many records that skips or repeats.
// Nothing has changed then. [Admin.Apply] makes the move. It is refused, with
// [ErrRefused] and a diagnostic that says why, while the group has members, or
// if it has moved since it was looked at; it reads back what it wrote, and
// [Move.Before] is the [Snapshot] that [Admin.Restore] undoes it with. Applying
// goes partition by partition as Kafka answers: one that was refused does not
// hold up the others, and applying a fresh move does what is missing.
//
// # Repeats before loss
//
// Where a place cannot be known exactly, the earlier one is taken. A time means
// the first record of that time or younger. A place that is carried over to
// another topic, or to a topic made anew, is carried over by time: where both
// have as many partitions, each by its own; else all by the oldest, because
// keys have moved between partitions. A partition that was read to its end
// counts as read up to the moment of looking, not up to its last record. From
// all that a margin is taken off, for producers' clocks.
//
// # Slipway's own state
//
// The runtime keeps two things beside a group's offsets: in the metadata of a
// source partition, a fence and what is finished ahead of the offset; and, as
// offsets of the same group, how far each retry topic is worked off. A move
// keeps the fence, which must never fall, and drops what was finished ahead of
// another offset. It leaves the retry topics where they are unless it is told
// to reset them. What follows from that is in [Move.Notes], to be read before.
//
// # Which protocols
//
// Classic and KIP-848 groups alike. Of a share group there is less: its start
// offsets can be seen, moved, kept and restored, and it has no metadata, so
// neither retry state nor a fence. What a share group has in flight when it
// moves is delivered again.
package group
