// Package interop shows, by tests alone, which clients Slipway gets along with:
// Java, sarama, kafka-go and librdkafka each read what Slipway writes, and
// Slipway handles what they write.
//
// It is a module of its own, so that no other Kafka client gets into the module
// that services link. Where keys are placed is compared without a broker, except
// with Java; the rest is built for the tag kafka and runs on one real cluster:
//
//	go test ./...              # where keys are placed
//	go test -tags kafka ./...  # everything, with Java and Maven
//
// librdkafka needs cgo and a C compiler; without them its part is not built.
package interop
