// Package serve is a service's main function: surroundings, signals, probes,
// drain and exit status.
//
//	//go:embed slipway.yaml schemas
//	var files embed.FS
//
//	func main() { serve.Main(files, wire, avro.Codec()) }
//
// [Main] reads what the service is configured with, makes the app, calls wire to
// register handlers and producers, and runs until SIGINT or SIGTERM. It then
// drains for at most the shutdown timeout; a second signal ends the process at
// once.
//
// Configuration is put together by package config from flags, variables,
// [Service.Sources], the files in config/ beside slipway.yaml, and the contract.
// The program's own flags are --set key=value, --config-path, --print-config,
// --version and --help. While the service runs it looks every second: a change is
// taken over whole, or refused whole and told of once, and the service stays ready
// either way.
//
// Where ADMIN_ADDRESS is set, whoever operates the service can look at how it
// consumes and change it there: GET /slipway/v1/entries, PATCH
// /slipway/v1/entries/{entry} with a [slipway.Tuning], GET /slipway/v1/config, GET
// /slipway/v1/health.
// The address is a loopback one, or every request carries the token of the file
// that ADMIN_TOKEN_PATH names, or every client shows a certificate:
// ADMIN_CERT_PATH, ADMIN_KEY_PATH and ADMIN_CLIENT_CA_PATH make the endpoint speak
// TLS and say whose clients are operators; ADMIN_PRINCIPALS names them, where those
// authorities sign services too.
//
// If the contract has a workload.http port, the app's endpoints
// ([slipway.App.Mux]) are served on it, with three probes beside them: /livez
// answers 200 unless a handler hangs that only a restart can end
// ([slipway.App.Live]), and never depends on Kafka; /startupz answers
// once start-up is over; /readyz answers 200 while the service does its work
// and else 503 with what keeps it from it.
//
// What goes wrong before the service runs is told on stderr as diagnostics,
// each with its code and fix. Exit statuses: 0 after a drain, 1 when the
// service failed in a way that another start may cure, 64 when contract, code
// or surroundings are wrong, 130 when a second signal cut the drain short.
package serve
