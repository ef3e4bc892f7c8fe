// Package strimzi derives the topics and users of a Kafka that Strimzi runs.
package strimzi
