// Package istio derives what a service needs in an Istio mesh: who may call it, over
// which connections, and what a caller's sidecar tries again.
//
//	<service>/kustomization.yaml    a component with a patch for the pods, which an overlay takes in
//	<service>/*.yaml                the objects
//
// # What is authoritative
//
// workload.access of the contract says who may call. It is resolved here: a caller
// that is no service of the estate, and does not say in which namespace it is, is
// refused, because a rule that nobody matches looks like one that protects.
//
// # What stays out
//
// Kafka: its connections have TLS of their own, with certificates by which brokers
// know services. Their ports pass the sidecar by. Faults: they belong into an
// experiment. Subsets and weights: they come with a launch, which moves them.
package istio
