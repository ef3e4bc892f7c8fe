package serve

import (
	"encoding/json"
	"net/http"

	slipway "github.com/slipway-go/slipway"
)

// The paths of the probes. /healthz is what many tools ask for by default, and
// the last three are where services built on Spring have theirs: a platform that
// knows those finds them here.
var (
	livePaths    = []string{"/livez", "/healthz", "/actuator/health/liveness"}
	readyPaths   = []string{"/readyz", "/actuator/health/readiness"}
	startedPaths = []string{"/startupz", "/actuator/health/startup"}
)

// probes are the probes of a service, and its metrics if there are any to be
// scraped. They answer from memory, from before the service starts until after
// it has drained.
func probes(app *slipway.App, metrics http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	on := func(paths []string, passes func(slipway.Health) bool, tells func(slipway.Check) bool) {
		for _, path := range paths {
			mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { probe(w, app.Health(), passes, tells) })
		}
	}
	on(livePaths, func(h slipway.Health) bool { return h.Live }, func(slipway.Check) bool { return false })
	on(startedPaths, func(h slipway.Health) bool { return h.Started }, func(c slipway.Check) bool { return c.Name == "startup" })
	on(readyPaths, func(h slipway.Health) bool { return h.Ready }, func(slipway.Check) bool { return true })
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	return mux
}

// A verdict is what a probe answers.
type verdict struct {
	Status string          `json:"status"`
	Checks []slipway.Check `json:"checks"`
}

// probe answers 200 or 503, and in both cases the checks that it is about. A
// service that is not live says which of its checks fail.
func probe(w http.ResponseWriter, h slipway.Health, passes func(slipway.Health) bool, tells func(slipway.Check) bool) {
	v, code := verdict{"ok", []slipway.Check{}}, http.StatusOK
	pass := passes(h)
	for _, c := range h.Checks {
		if tells(c) || !pass && c.Status == slipway.CheckFail {
			v.Checks = append(v.Checks, c)
		}
	}
	switch {
	case !pass:
		v.Status, code = "unavailable", http.StatusServiceUnavailable
	case len(v.Checks) > 0:
		v.Status = slipway.Health{Checks: v.Checks}.Status()
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}
