// Package dev runs a real Apache Kafka on this machine: three combined KRaft
// nodes and a schema registry as plain processes, without a container.
//
// # What runs
//
// Kafka's and Apicurio's jars are fetched once, by Maven, into the user's
// cache. Each node has a TLS listener on which the client certificate is the
// identity, a SASL_SSL listener for SCRAM, and a TLS controller listener; all
// of them on the loopback address. The authorizer denies what no ACL allows,
// replication is 3 with 2 in sync, and topics are not created by using them:
// what works here works on a production cluster, and what is denied here is
// denied there. The registry is plain HTTP on the loopback address and asks
// nobody for a name.
//
// # What is authoritative
//
// An instance is a directory. Whoever holds the lock (flock) on its file
// "lock" runs the instance, and only while it holds it: a lock dies with its
// process, so there are no stale ones, not even after kill -9. The process
// writes its id into the file for people and for [Down]. state.json tells
// others what runs where; it is rewritten whole, and believed only as far as
// the lock is held. Everything that must outlive a run is beside it: the
// authority, the cluster's id, the brokers' logs, the registry's database.
// server.properties and the brokers' certificates are written anew at every
// start, and so is the intermediate authority that issues them, whose key is
// never on the disk: what trusts the root trusts them all.
//
// The first processes that end in order leave their classes in the cache, as the
// virtual machine has them in memory; those started later begin with them. An
// instance then takes 15 s of processor time from its start to its end, and 23 s
// without.
//
// # What fails how
//
// The processes cannot outlive this one; see package proc. A node that ends by
// itself during the start fails the start with the end of its log. Later it is
// restarted with growing pauses until it ended five times in a minute; then
// [Cluster.Failed] tells so and the others go on. A node that was killed or
// paused on purpose ([Node.Kill], [Node.Pause]) stays so until it is started
// or resumed: that is what fault tests are made of.
//
// # Identities
//
// "broker" and "admin" are super users; admin logs in by certificate and, with
// the password in its file, by SCRAM. Any other identity is made by
// [Cluster.Certificate] or [Cluster.Password], which leave the files that a
// service, kcat and the Java tools need. Rights are for plan and apply to give.
//
// The administrator's SCRAM credential is created through the running cluster
// and not while the storage is formatted: there the password would be an
// argument, for every user of the machine to see.
package dev
