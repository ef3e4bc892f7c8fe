// Package embedded runs a secured Kafka cluster and a schema registry inside
// this process, for development and tests: nothing to install, ready in
// milliseconds.
//
// It is secured as a real cluster is, so that what a service lacks shows here
// first: TLS on every connection, SCRAM logins, ACLs enforced with nobody but
// the admin exempt, no topic created by accident, three brokers so that a
// contract's replication factor and min.insync.replicas hold.
//
// The broker is kfake. It takes no principal from a client certificate and
// keeps its records in memory (and, with a data directory, in files); mTLS and
// volume are for real Kafka. The registry is package registry, on TLS under the
// same authority, with a reading credential for services and a writing one for
// apply.
//
// # The data directory
//
// With [Config.Dir] a cluster comes back as it was: cluster id, authority,
// topics, records, commits, users, ACLs, schemas. The directory is locked
// while a cluster has it. Passwords are not stored: each is derived from one
// secret file and the user's name ([Cluster.Password]), so that whoever creates
// a user again after a restart gives it the password it had. Whoever reads the
// directory is admin; it is 0700.
//
// # Time
//
// With [Config.Network] all connections are in memory, which is what a
// testing/synctest bubble needs.
package embedded
