// Package broker starts the cluster that the arms of a benchmark share, and
// fills its topics.
//
// Every arm gets the same listener: TLS 1.3 with SCRAM-SHA-512, because that
// is what a contract asks for and what production runs. Real Kafka has a
// plaintext listener beside it, for control arms that show what TLS costs a
// rival.
//
// A broker is one node: the client is what is measured, and three nodes would
// only take processor time away from it.
package broker
