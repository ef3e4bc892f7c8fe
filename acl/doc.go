// Package acl derives the access rights that services need from what their
// contracts say, and nothing beyond.
//
// [Derive] is pure: the same estate gives the same grants in the same order.
// Every [Grant] carries the contract entries that call for it, so that a plan
// can say why a binding exists, and so that nobody has to guess whether it may
// go.
//
// What follows from what, on Kafka 2.8 and later, where ALLOW of READ or WRITE
// implies DESCRIBE (so no DESCRIBE stands beside them) and where idempotent
// producing needs no right of its own:
//
//   - produces T: TOPIC T WRITE. A service that relays its own outbox is a
//     producer like any other.
//   - produces T in transactions: also TRANSACTIONAL_ID WRITE on the service's
//     prefix. It is the only prefixed binding: instances choose the rest of
//     the id.
//   - consumes T in group G, as a stream or a share group: TOPIC T READ and
//     GROUP G READ.
//   - consumes T as a table: TOPIC T READ. It has no group.
//   - retries of T, that is every stream with waits or dead letters: READ,
//     WRITE and DELETE on the retry topic. DELETE is what Kafka asks of a
//     client that takes out records that are through (DeleteRecords). The same
//     right would let the service delete this one topic, which nobody but it
//     uses; Kafka has no narrower one.
//   - dead letters of T, or evidence of what is parked: WRITE on the
//     dead-letter topic, and nothing to read it back with.
//   - redrive of T's dead letters, by a principal of its own,
//     svc-<service>-<environment>-redrive: READ on the dead-letter topic in
//     the group of the same name, DELETE on it to purge, and WRITE on the retry
//     topic, which is where commands go (a share group has none). Whoever holds
//     this credential can neither read nor write what the service consumes or
//     produces.
//
// Every other binding is LITERAL. Owning a topic grants nothing: the owner's
// contract says separately whether it writes it.
//
// The registry is outside Kafka's ACLs. What the applying principal needs is not
// in a contract: it follows from what plan and apply send, see [Bootstrap].
//
// What a cluster has is judged here too, and still without a connection.
// [Decide] and [Rules] answer as Kafka's StandardAuthorizer does, which is
// compared with a broker's own answers in the tests; [Check] compares live
// bindings with grants and with good sense; [Explain] says of one request why
// it is allowed or refused, what comes near, and which contract entry calls for
// it. What a service can learn of itself without an administrator's rights is a
// [Proof], which leaves some answers [Unknown].
//
// [KafkaACLs] and [KafkaUsers] put grants into the words of the tools that
// others apply them with. An [Audit] sums up what authorizers logged, whatever
// is in the log, and [Advise] says of each denial which contract entry would
// allow it, or why it should stay.
package acl
