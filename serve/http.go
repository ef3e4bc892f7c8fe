package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
)

// The bounds of the HTTP server, against slow and oversized requests.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// listen registers the HTTP server of the app, if its contract has a port.
func listen(app *slipway.App) {
	workload := app.Contract().Workload
	if workload == nil || workload.HTTP == 0 {
		return
	}
	app.Go("http", func(ctx context.Context) error {
		addr := net.JoinHostPort(app.Environment().ListenHost, strconv.Itoa(workload.HTTP))
		return serveHTTP(ctx, app, addr)
	})
}

// serveHTTP serves the app's endpoints until ctx ends.
func serveHTTP(ctx context.Context, app *slipway.App, addr string) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return diag.New(diag.RuntimeListenFailed, "listen on %s: %v", addr, err).At(app.Contract().Position("workload/http"))
	}
	return serveOn(ctx, app, ln, probes(app))
}

// serveOn serves on a listener until ctx ends, then lets open requests finish.
func serveOn(ctx context.Context, app *slipway.App, ln net.Listener, h http.Handler) error {
	app.Logger().Info("listening", "address", ln.Addr().String())
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.Environment().ShutdownTimeout/3)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// probes puts the probes in front of the service's own endpoints.
func probes(app *slipway.App) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, app.Live()) })
	mux.HandleFunc("GET /startupz", func(w http.ResponseWriter, _ *http.Request) {
		if err := app.Ready(); errors.Is(err, slipway.ErrNotRunning) {
			answer(w, err)
			return
		}
		answer(w, nil)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, app.Ready()) })
	mux.Handle("/", app.Mux())
	return mux
}

// answer writes a probe's result: 200, or 503 with each thing that is wrong.
func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	body := struct {
		Status   string   `json:"status"`
		Problems []string `json:"problems,omitempty"`
	}{Status: "ok"}
	if err != nil {
		body.Status = "unavailable"
		body.Problems = problems(err)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(body)
}

func problems(err error) []string {
	if err == nil {
		return []string{}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var all []string
	for _, e := range joined.Unwrap() {
		all = append(all, e.Error())
	}
	return all
}
