package serve

import (
	"context"
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

	// farewell is how long probes that are being answered may take when all
	// else is over.
	farewell = time.Second
)

// listen opens the service's port for HTTP: the contract's workload.http, or,
// without one, HEALTH_ADDRESS with nothing but probes and metrics. It answers
// probes from now on, so that a long start can be told from a hang, and until
// the service has drained; what the service itself serves is open while it runs.
func listen(app *slipway.App, metrics http.Handler) error {
	if w := app.Contract().Workload; w != nil && w.HTTP != 0 {
		gate := newGate(Edge(app, app.Mux()), func() bool { return app.Health().Started })
		app.Go("http", func(ctx context.Context) error { return gate.run(ctx, app.Environment().ShutdownTimeout/3) })
		mux := probes(app, metrics)
		mux.Handle("/", gate)
		addr := net.JoinHostPort(app.Environment().ListenHost, strconv.Itoa(w.HTTP))
		if err := serveHTTP(app, addr, mux); err != nil {
			return diag.New(diag.RuntimeListenFailed, "listen on %s: %v", addr, err).At(app.Contract().Position("workload/http"))
		}
		return nil
	}
	if addr := app.Environment().HealthAddress; addr != "" {
		if err := serveHTTP(app, addr, probes(app, metrics)); err != nil {
			return diag.New(diag.RuntimeListenFailed, "listen on %s for the probes: %v", addr, err).
				WithFix("stop the other process, or set HEALTH_ADDRESS to another address")
		}
	}
	return nil
}

// serveHTTP serves on an address until the app has ended.
func serveHTTP(app *slipway.App, addr string, h http.Handler) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	app.Logger().Info("listening", "address", ln.Addr().String())
	server := newServer(h)
	go func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			app.Logger().Error("listening ended", "address", ln.Addr().String(), "error", err)
		}
	}()
	app.OnStop("http on "+addr, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close() // a client that takes its time is not waited for
		}
		return nil
	})
	return nil
}

func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
}

// serveOn serves on a listener until ctx ends, then lets open requests finish.
func serveOn(ctx context.Context, app *slipway.App, ln net.Listener, h http.Handler) error {
	app.Logger().Info("listening", "address", ln.Addr().String())
	server := newServer(h)
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
