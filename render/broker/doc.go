// Package broker derives the settings of a secured broker and controller, each with
// the reason for it.
//
// A [Cluster] follows from an entry of clusters.yaml that lists nodes. Its ports for
// clients are those of bootstrap; brokers and controllers have two of their own
// among themselves. Every listener speaks TLS, and who connects is known: by the
// certificate (SSL) or by a password within TLS (SASL_SSL).
//
// # What stays
//
// node.id is the number at the end of a node's name, and the id of a controller's
// directory follows from the cluster's id and the node's name. Both are written to
// disk when storage is formatted, so a rendering must never come to others because
// a node was added. The same ids are in the voters that every controller's storage
// is formatted with: the quorum is dynamic (KIP-853) from its first start.
//
// # What is refused
//
// An even number of controllers, fewer brokers than replicas, PLAIN, a cluster id
// that storage cannot be formatted with, and principals by which a service could be
// taken for a node. Each is a diagnostic at its place in clusters.yaml.
//
// # How it is known to be right
//
// A test compares every key with those that the running version of Kafka defines,
// and package render/compose starts real processes with what is rendered here.
package broker
