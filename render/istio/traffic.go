package istio

import (
	"github.com/slipway-go/slipway/render/manifest"
)

// What a caller's sidecar tries again. A request that was never taken can always be
// sent once more. One that was taken and came to nothing, only where doing it twice
// does no harm: the methods that HTTP calls safe. Whether a method of gRPC is, nobody
// says.
const (
	untaken = "connect-failure,refused-stream"
	failed  = "gateway-error," + untaken
	safe    = "GET|HEAD|OPTIONS"
)

// routes are how the service's ports are called. No fault is injected: an experiment
// belongs into one, with a beginning and an end, and while it lasts Istio tries
// nothing again.
func (w *workload) routes() manifest.Map {
	var all []manifest.Map
	if port := w.svc.Workload.HTTP; port != 0 {
		all = append(all,
			w.route("probes-and-metrics", port, paths("/metrics", "/livez", "/readyz", "/startupz"), manifest.E("retries", manifest.Map{manifest.E("attempts", 0)}).
				From("who asks how an instance is wants its first answer")),
			w.route("safe", port, []manifest.Map{{manifest.E("method", manifest.Map{manifest.E("regex", safe)})}}, manifest.E("retries", manifest.Map{
				manifest.E("attempts", 3),
				manifest.E("perTryTimeout", "2s"),
				manifest.E("retryOn", failed),
			})),
			w.route("other", port, []manifest.Map{{}}, again().From("sent again only if nobody has taken it: a second order is worse than an error")),
		)
	}
	if port := w.svc.Workload.GRPC; port != 0 {
		all = append(all, w.route("grpc", port, []manifest.Map{{}}, again().From("as above: nobody says which methods may be called twice")))
	}
	return w.object("networking", "VirtualService", manifest.Map{
		manifest.E("hosts", []string{w.host()}),
		manifest.E("http", all),
	})
}

func again() manifest.Entry {
	return manifest.E("retries", manifest.Map{manifest.E("attempts", 3), manifest.E("retryOn", untaken)})
}

func paths(all ...string) []manifest.Map {
	var matches []manifest.Map
	for _, p := range all {
		matches = append(matches, manifest.Map{manifest.E("uri", manifest.Map{manifest.E("exact", p)})})
	}
	return matches
}

// route leads what matches, and comes for the port, to that port.
func (w *workload) route(name string, port int, matches []manifest.Map, retries manifest.Entry) manifest.Map {
	for i := range matches {
		matches[i] = append(matches[i], manifest.E("port", port))
	}
	return manifest.Map{
		manifest.E("name", name),
		manifest.E("match", matches),
		manifest.E("route", []manifest.Map{{manifest.E("destination", manifest.Map{
			manifest.E("host", w.host()),
			manifest.E("port", manifest.Map{manifest.E("number", port)}),
		})}}),
		retries,
	}
}

// connections are how callers keep connections to the instances, and when they leave
// an instance alone for a while.
func (w *workload) connections() manifest.Map {
	http, grpc := w.svc.Workload.HTTP, w.svc.Workload.GRPC
	policy := pool(http != 0)
	if http != 0 && grpc != 0 {
		of := manifest.Map{manifest.E("port", manifest.Map{manifest.E("number", grpc)})}
		policy = append(policy, manifest.E("portLevelSettings", []manifest.Map{append(of, pool(false)...)}))
	}
	return w.object("networking", "DestinationRule", manifest.Map{
		manifest.E("host", w.host()),
		manifest.E("trafficPolicy", policy),
	})
}

// pool bounds what one caller may have open. Connections of HTTP/1 end after some
// requests, so that new instances get their share; a gRPC connection is balanced by
// request.
func pool(renewed bool) manifest.Map {
	return manifest.Map{
		manifest.E("connectionPool", manifest.Map{
			manifest.E("tcp", manifest.Map{
				manifest.E("maxConnections", 100),
				manifest.E("connectTimeout", "1s").From("a lost packet is sent again after a second: less takes a busy network for a dead one"),
			}),
			manifest.E("http", manifest.Map{
				manifest.E("http1MaxPendingRequests", 50),
				manifest.If(renewed, manifest.E("maxRequestsPerConnection", 10)),
			}),
		}),
		manifest.E("loadBalancer", manifest.Map{manifest.E("simple", "LEAST_REQUEST")}),
		manifest.E("outlierDetection", manifest.Map{
			manifest.E("consecutive5xxErrors", 5),
			manifest.E("interval", "30s"),
			manifest.E("baseEjectionTime", "30s"),
			manifest.E("maxEjectionPercent", 50).From("never more than half, whatever they answer"),
		}),
		manifest.E("tls", manifest.Map{manifest.E("mode", "ISTIO_MUTUAL")}),
	}
}
