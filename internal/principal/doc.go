// Package principal is how Kafka gets from a client certificate to the name that
// ACLs know: the distinguished name as Java writes it (RFC 2253), put through the
// rules of ssl.principal.mapping.rules (KIP-371).
//
// Whoever issues a certificate must know which principal a broker will make of
// it, and that no other certificate makes the same one. The rules here are
// judged against Kafka's own implementation by a test.
//
// # What is not guessed
//
// A rule is a regular expression of Java, and the broker's Java may be of any
// version. What Go's regular expressions cannot do (looking around, references
// back, possessive repeats), what Javas of different versions do differently (\b,
// text that is not ASCII in a string type that is older than UTF-8) and what
// only surprises (a repeat of something that may be empty) is refused with a
// code. An answer that is given is the broker's.
//
// # What surprises
//
// A rule applies if its pattern matches the whole name; then every match within
// the name is replaced, as Java's replaceAll does it. RULE:.*/x/ makes xx, for
// there is an empty match behind the whole one. A reference to a group that the
// pattern does not have is text if the pattern has any group, and ends every
// login if it has none: such a rule is refused.
package principal
