// Package parking keeps the order of a key while its records wait.
//
// A record that has to wait long for its next attempt, or for an operator, is
// copied to the retry topic of its consumed topic, to the partition of the same
// number, and finished in the source. Until it is settled every later record of
// its key is copied behind it, so that the key stays in order and everything
// else flows. Who owns the source partition works the retry partition; nobody
// else may.
//
// [Encode] and [Decode] are the records of that log. A [Lot] is the state
// machine of one retry partition: a pure one, without a clock, a network or a
// goroutine. Its caller reads the log to it, asks it what to do with a source
// record, runs the heads it gives out, and appends what it asks for. It holds
// metadata only; the bytes stay in the log.
//
// # Words
//
// A ticket is a record's place in its source partition. A copy carries a
// ticket's bytes, how many attempts failed and when the next is due; the newest
// copy of a ticket counts. A mark says that everything of a key up to a ticket
// is settled. The lowest ticket of a key is its head, the others are followers.
//
// # The rules, and what breaks without them
//
//   - A source record whose key has unfinished tickets becomes a follower: or
//     it would overtake them.
//   - Only the head of a key runs, once at a time, and not before the source has
//     been read past it: after a crash older records of the key may still come.
//   - The next ticket of a key runs when the mark of the one before is
//     acknowledged: or a crash could repeat the older one after the newer.
//   - A source record that the log knows, or that lies at or below its key's
//     mark, is finished without a look: it was handed over before a crash.
//   - A source record is finished when its copy is acknowledged, not before.
//   - A mark counts until the source's committed frontier has passed its ticket.
//   - A new owner raises a fence: a number in the source partition's commit,
//     which only the group's current generation can change, and a record in the
//     log. What lies behind it with a lower number was written by a zombie and
//     is not read.
//   - The frontier of the log passes only what is finished. Where an old copy
//     holds it back while most of what lies behind is garbage, the copy is
//     appended again.
//   - A command is finished when what it asks for is in the log, and does
//     nothing to what was written after it: so it may be read twice. A ticket's
//     dead letter is written before the copy that parks it, so a release names
//     how often the ticket had been released by then, and waits for that copy.
//     The record
//     that parks a key by hand names its command, and commands about one key
//     are carried out one after the other: the last one counts.
//   - A ticket is skipped once it is the head and the source's frontier has
//     passed it: its mark would settle older records of the key too. Until then
//     it does not run, and the command is trimmed like a copy.
//   - A settled key is remembered until its own appends were read back, which
//     would be taken for news.
//   - The source never rests before it was read past every ticket: heads that
//     wait for that would keep the lot full for ever.
//
// Each of them has a mutation in the tests that switches it off, and the model
// check finds every one.
//
// # Lives
//
// A ticket of another life (the topic was deleted and made anew, or an operator
// brought a dead letter back) is handled on its own: it is matched with no
// source record and waits for none. Its marks settle one ticket each, because
// an operator may bring back the older of two records later. An injection that
// is sent twice is handled once, as long as its mark has not been trimmed when
// the log comes to a new owner.
//
// # What is not kept
//
// A handler that ran and crashed before its outcome was in the log runs again,
// before anything newer of its key. The handler of a zombie may run beside it.
// Records without a key have no order. When the number of partitions changes,
// keys move, and their order across the change is lost, as it is in Kafka.
package parking
