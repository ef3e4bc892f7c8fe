package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/serve/rpc"
	"github.com/slipway-go/slipway/slipwaytest"
)

func TestAnInstanceWithoutATariffIsNotReadyAndSaysWhy(t *testing.T) {
	t.Parallel()
	slipwaytest.Run(t, files, wire, func(t *testing.T, k *slipwaytest.Kit) {
		call := func(method, path string) int {
			w := httptest.NewRecorder()
			k.HTTP("postage").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
			return w.Code
		}
		for _, tt := range []struct {
			method string
			ready  bool
			letter int
		}{
			{http.MethodGet, true, http.StatusOK}, // changes nothing
			{http.MethodDelete, false, http.StatusServiceUnavailable},
			{http.MethodPut, true, http.StatusOK},
		} {
			call(tt.method, "/tariff")
			k.Advance(2 * time.Second) // checks are called every second
			h := k.Health("postage")
			if h.Ready != tt.ready || !h.Live {
				t.Errorf("after %s: ready is %t and live %t, want %t and true", tt.method, h.Ready, h.Live, tt.ready)
			}
			if !tt.ready && (h.Checks[0].Name != "tariff" || h.Checks[0].Reason != "no tariff is loaded") {
				t.Errorf("the first check is %+v, want the one that fails", h.Checks[0])
			}
			if got := call(http.MethodGet, "/letters"); got != tt.letter {
				t.Errorf("after %s a letter is answered with %d, want %d", tt.method, got, tt.letter)
			}
		}
	})
}

func TestGRPCTellsOfAStartThatIsNotOver(t *testing.T) {
	t.Parallel()
	contract, err := files.ReadFile("slipway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	app, err := slipway.New(slipway.Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: []byte(strings.Replace(string(contract), "18210", port, 1))}},
		Environment: slipway.Environment{Name: "dev", ListenHost: "127.0.0.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ended, end := context.WithCancel(t.Context())
		end()
		_ = app.Run(ended) // which closes the port
	}()
	if err := rpc.Serve(app, func(*grpc.Server) {}); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || got.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("a service that has not started is answered with %v, %v, want NOT_SERVING", got, err)
	}
}

// freePort is one of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}
