package rpc

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
)

// The bounds of the server. An option of the same kind that is given to [Serve]
// wins.
const (
	maxMessage     = 4 << 20
	maxStreams     = 1000 // of one connection
	maxHeaderBytes = 32 << 10
	helloTimeout   = 10 * time.Second

	idleAfter    = 15 * time.Minute
	pingAfter    = time.Minute // of silence
	pingTimeout  = 20 * time.Second
	leastPinging = 20 * time.Second // a client that pings more often is cut off
)

// Serve makes the service's gRPC server: register adds the services to it, and
// opts are the program's own, such as interceptors or credentials. It listens on
// the contract's workload.grpc port, of the address that LISTEN_HOST names.
func Serve(app *slipway.App, register func(*grpc.Server), opts ...grpc.ServerOption) error {
	w := app.Contract().Workload
	if w == nil || w.GRPC == 0 {
		return diag.New(diag.HealthNoGRPC, "the code of %s serves gRPC and its contract has no workload.grpc", app.Contract().Name)
	}
	addr := net.JoinHostPort(app.Environment().ListenHost, strconv.Itoa(w.GRPC))
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return diag.New(diag.RuntimeListenFailed, "listen on %s: %v", addr, err).At(app.Contract().Position("workload/grpc"))
	}
	serveOn(app, ln, register, opts...)
	return nil
}

// A server is the gRPC server of an app.
type server struct {
	app    *slipway.App
	grpc   *grpc.Server
	health *health
	open   atomic.Bool  // to others than health checks
	ended  atomic.Value // of error: why it does not listen
}

// serveOn serves on a listener from now on until the app has ended.
func serveOn(app *slipway.App, ln net.Listener, register func(*grpc.Server), opts ...grpc.ServerOption) {
	s := &server{app: app, health: newHealth(app)}
	s.grpc = grpc.NewServer(append(s.options(), opts...)...)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	register(s.grpc)
	s.health.know(s.grpc)
	app.Logger().Info("listening", "address", ln.Addr().String(), "protocol", "grpc")
	go func() {
		if err := s.grpc.Serve(ln); err != nil {
			s.ended.Store(err)
			app.Logger().Error("listening ended", "address", ln.Addr().String(), "error", err)
		}
	}()
	app.Check("grpc", s.listening)
	app.Go("grpc", s.run)
	app.OnStop("grpc", func() error {
		s.health.close()
		s.grpc.Stop()
		return nil
	})
}

// options are the server's own.
func (s *server) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes), grpc.ConnectionTimeout(helloTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleAfter, Time: pingAfter, Timeout: pingTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: leastPinging, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(s.unary), grpc.ChainStreamInterceptor(s.stream),
	}
}

// listening is the app's check of the server.
func (s *server) listening() error {
	if err, ended := s.ended.Load().(error); ended {
		return fmt.Errorf("does not listen: %w", err)
	}
	return nil
}

// run opens the server until ctx ends, and then lets open calls end.
func (s *server) run(ctx context.Context) error {
	s.open.Store(true)
	s.health.follow(ctx)
	s.health.close()
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	budget := s.app.Environment().ShutdownTimeout / 3
	select {
	case <-done:
		return nil
	case <-time.After(budget):
		s.grpc.Stop()
		return fmt.Errorf("calls were cut off that had not ended after %v", budget)
	}
}

var errStarting = status.Error(codes.Unavailable, "the service starts")

// admits reports whether a method may be called now.
func (s *server) admits(method string) bool {
	return s.open.Load() || method == healthpb.Health_Check_FullMethodName || method == healthpb.Health_Watch_FullMethodName ||
		method == healthpb.Health_List_FullMethodName
}

func (s *server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if !s.admits(info.FullMethod) {
		return nil, errStarting
	}
	return next(ctx, req)
}

func (s *server) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if !s.admits(info.FullMethod) {
		return errStarting
	}
	return next(srv, stream)
}
