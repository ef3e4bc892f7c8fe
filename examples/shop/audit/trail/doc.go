// Package trail keeps an append-only record of everything that the shop's
// services said.
//
// Every record of every topic becomes one row, with where it lay and what it
// said. The rows are a chain: each holds a SHA-256 of itself and of the hash
// before it, so whoever has noted the latest hash can tell later whether any
// row before it was changed, removed or put in ([Service.Verify]). The database
// refuses to change or delete rows (triggers); that is against mistakes. The
// hash is against somebody who can drop a trigger.
//
// A record is known by where it lies (topic, partition, offset), so one that is
// delivered again adds nothing. An event that was published twice is two
// records, and the audit says so: it keeps what was said, not what it should
// have been.
//
// From the rows of an order its history follows, and its state without asking
// anybody ([Replay]): what the services hold in their tables could be lost and
// made again from here.
package trail
