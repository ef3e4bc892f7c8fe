// Package rpc is a service's gRPC server: it listens on the contract's
// workload.grpc port, answers grpc.health.v1 with the service's readiness, and
// drains with the service. It is called in the service's wire function:
//
//	func wire(app *slipway.App) error {
//		return rpc.Serve(app, func(s *grpc.Server) {
//			shopv1.RegisterOrdersServer(s, &orders{…})
//		})
//	}
//
// # Health
//
// The server answers health checks from the moment of [Serve] on, so that a
// start can be told from a hang. Service "" and every registered one are SERVING
// while the app is ready ([slipway.App.Health]), and NOT_SERVING else: what a
// service needs beside Kafka is told by [slipway.App.Check]. A change is told to
// whoever watches within half a second. In turn the app is not ready while the
// server does not listen: data plane and control plane have to be well, both.
//
// # Start and drain
//
// Other calls are refused as UNAVAILABLE until the app runs; a client may try
// such a call again, the service has seen nothing of it. When the service is told
// to stop everybody who watches hears NOT_SERVING, clients are told to go
// elsewhere, and calls that are open get a third of the shutdown timeout to end.
//
// # Transport
//
// Without more the server speaks plaintext: behind a mesh, or on a loopback
// address (LISTEN_HOST). grpc.Creds among the options has it speak TLS.
//
// A program that does not import this package links no gRPC.
package rpc
