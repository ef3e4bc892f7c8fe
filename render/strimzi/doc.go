// Package strimzi derives the topics and users of a Kafka that Strimzi runs, and that
// Kafka itself where clusters.yaml says what its nodes are given. The objects are of
// version v1, which Strimzi has since 0.49, and alone since 1.0.
//
// Topics are those of package plan with the settings that it would make, and rights are
// those of package acl to the last operation; tests compare them. So slipway plan finds
// nothing to do where the operators have done it. What Strimzi has no objects for
// remains slipway apply's: settings of groups, schemas, connectors.
//
// # What surprises
//
// The operators own what they have objects for. The User Operator takes away rights
// that a KafkaUser does not list, the Topic Operator settings that a KafkaTopic does
// not, and with an object goes its topic. So the principal of Kafka Connect, which
// somebody else has given rights, gets a patch and no KafkaUser.
//
// Brokers of Strimzi take the whole subject of a certificate for its principal:
// User:CN=svc-orders-prod. The rights are for that one. Contracts say the same with
// adopt.principal, and then slipway plan does, too.
//
// A name that Kubernetes does not take as that of an object is changed, with the
// beginning of its hash, and spec.topicName has the topic's.
package strimzi
