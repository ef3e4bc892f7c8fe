package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/embedded"
	"github.com/slipway-go/slipway/serve/rpc"
)

const contract = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: greeter, owner: team-greeting}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
workload: {image: registry.example.com/greeter%s}
`

const greeter = "shop.v1.Greeter"

// greeting is a service with one method, which answers when it is let.
func greeting(let <-chan struct{}) func(*grpc.Server) {
	hello := func(_ any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
		in := new(emptypb.Empty)
		if err := dec(in); err != nil {
			return nil, err
		}
		return chain(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/" + greeter + "/Hello"}, func(ctx context.Context, _ any) (any, error) {
			select {
			case <-let:
				return in, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
	}
	desc := grpc.ServiceDesc{ServiceName: greeter, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Hello", Handler: hello}}}
	return func(s *grpc.Server) { s.RegisterService(&desc, struct{}{}) }
}

// newApp makes an app on a cluster of its own, that has not started.
func newApp(t *testing.T, port string) *slipway.App {
	t.Helper()
	cluster, err := embedded.Start(t.Context(), embedded.Config{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	app, err := slipway.New(slipway.Config{
		Files: fstest.MapFS{"slipway.yaml": {Data: fmt.Appendf(nil, contract, port)}},
		Environment: slipway.Environment{
			Name: "dev", BootstrapServers: strings.Join(cluster.Bootstrap(), ","), ListenHost: "127.0.0.1",
			CAFile: file("ca.crt", string(cluster.CA())), PasswordFile: file("password", cluster.Admin().Password),
			ShutdownTimeout: 9 * time.Second,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// await receives from a watch until it tells a status.
func await(t *testing.T, watch grpc.ServerStreamingClient[healthpb.HealthCheckResponse], want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	for {
		got, err := watch.Recv()
		if err != nil {
			t.Fatalf("watch: %v, want %v", err, want)
		}
		if got.GetStatus() == want {
			return
		}
	}
}

func TestGRPCHealthFollowsTheServiceFromStartToDrain(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	app := newApp(t, fmt.Sprintf(", grpc: %d", port))
	let := make(chan struct{})
	if err := rpc.Serve(app, greeting(let)); err != nil {
		t.Fatal(err)
	}
	var ill atomic.Bool
	app.Check("ledger", func() error {
		if ill.Load() {
			return errors.New("not balanced")
		}
		return nil
	})
	conn, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	health := healthpb.NewHealthClient(conn)
	hello := func() error {
		return conn.Invoke(t.Context(), "/"+greeter+"/Hello", new(emptypb.Empty), new(emptypb.Empty))
	}
	check := func(service string) string {
		got, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			return status.Code(err).String()
		}
		return got.GetStatus().String()
	}

	for service, want := range map[string]string{"": "NOT_SERVING", greeter: "NOT_SERVING", "shop.v1.Nobody": "NotFound"} {
		if got := check(service); got != want {
			t.Errorf("%q is %s before the start, want %s", service, got, want)
		}
	}
	if err := hello(); status.Code(err) != codes.Unavailable {
		t.Errorf("a call before the start: %v, want Unavailable", err)
	}
	watch, err := health.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: greeter})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()

	await(t, watch, healthpb.HealthCheckResponse_SERVING)
	if all, err := health.List(t.Context(), new(healthpb.HealthListRequest)); err != nil || len(all.GetStatuses()) < 2 || check("") != "SERVING" {
		t.Errorf("list = %v, %v and the server is %s", all, err, check(""))
	}
	ill.Store(true)
	await(t, watch, healthpb.HealthCheckResponse_NOT_SERVING)
	ill.Store(false)
	await(t, watch, healthpb.HealthCheckResponse_SERVING)

	answered := make(chan error, 1)
	go func() { answered <- hello() }()
	let <- struct{}{} // it is in its handler
	if err := <-answered; err != nil {
		t.Errorf("a call while it runs: %v", err)
	}
	go func() { answered <- hello() }()
	stop(slipway.ErrShutdown)
	await(t, watch, healthpb.HealthCheckResponse_NOT_SERVING)
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ended with %v, want Unavailable", err)
	}
	close(let)
	<-answered
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestServeNamesThePortThatTheContractLacksOrAnotherHas(t *testing.T) {
	t.Parallel()
	if err := rpc.Serve(newApp(t, ""), func(*grpc.Server) {}); !errors.Is(err, diag.HealthNoGRPC) {
		t.Errorf("without a port: %v, want %s", err, diag.HealthNoGRPC)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if err := rpc.Serve(newApp(t, fmt.Sprintf(", grpc: %d", port)), func(*grpc.Server) {}); !errors.Is(err, diag.RuntimeListenFailed) {
		t.Errorf("with a port that is taken: %v, want %s", err, diag.RuntimeListenFailed)
	}
}
