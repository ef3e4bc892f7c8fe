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
// know services. Their ports pass the sidecar by. So do Vault's, where its agent asks
// it before there is a sidecar. Faults: they belong into an
// experiment. Subsets and weights: they come with a launch, which moves them.
//
// # What has to be there
//
// Istio CNI: the namespace refuses pods with the container that Istio adds without it.
// From Istio 1.24 on sidecars are native here, and outlive the service's drain; what
// older ones are told instead keeps them as long as connections are open.
package istio
