// Package rpc is a service's gRPC server: it listens on the contract's
// workload.grpc port, answers grpc.health.v1 (Check and Watch) with the service's
// readiness, and drains with the service.
//
// A program that does not import it links no gRPC.
package rpc
