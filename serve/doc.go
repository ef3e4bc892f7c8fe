// Package serve is a service's main function: surroundings, signals, probes,
// drain and exit status.
//
//	//go:embed slipway.yaml schemas
//	var files embed.FS
//
//	func main() { serve.Main(files, wire, avro.Codec()) }
//
// [Main] reads the [slipway.Environment], makes the app, calls wire to register
// handlers and producers, and runs until SIGINT or SIGTERM. It then drains for
// at most the shutdown timeout; a second signal ends the process at once.
//
// If the contract has a workload.http port, the app's endpoints
// ([slipway.App.Mux]) are served on it, with three probes beside them: /livez
// answers while the process works and never depends on Kafka; /startupz answers
// once start-up is over; /readyz answers 200 while the service does its work
// and else 503 with what keeps it from it.
//
// What goes wrong before the service runs is told on stderr as diagnostics,
// each with its code and fix. Exit statuses: 0 after a drain, 1 when the
// service failed in a way that another start may cure, 64 when contract, code
// or surroundings are wrong, 130 when a second signal cut the drain short.
package serve
