// Package principal is how Kafka gets from a client certificate to the name that
// ACLs know: the distinguished name as Java writes it (RFC 2253), put through the
// rules of ssl.principal.mapping.rules (KIP-371).
//
// Whoever issues a certificate must know which principal a broker will make of
// it, and that no other certificate makes the same one. The rules here are
// judged against Kafka's own implementation by a test.
package principal
