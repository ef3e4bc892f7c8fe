package rpc

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	slipway "github.com/slipway-go/slipway"
)

// followEvery is how often the app's health is looked at.
const followEvery = 500 * time.Millisecond

// A health is the app's health as grpc.health.v1 tells it. The health server of
// grpc-go keeps watches open for ever, which would hold up every drain.
type health struct {
	healthpb.UnimplementedHealthServer
	app *slipway.App

	mu       sync.Mutex
	services map[string]bool // that can be asked for, "" among them
	status   serving         // of all of them
	changed  chan struct{}   // closed at the next change
	closed   bool
}

type serving = healthpb.HealthCheckResponse_ServingStatus

func newHealth(app *slipway.App) *health {
	return &health{
		app: app, services: map[string]bool{"": true}, changed: make(chan struct{}),
		status: healthpb.HealthCheckResponse_NOT_SERVING,
	}
}

// know notes which services there are.
func (h *health) know(s *grpc.Server) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name := range s.GetServiceInfo() {
		h.services[name] = true
	}
}

// follow looks at the app's health until ctx ends.
func (h *health) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		h.look()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look notes how the app stands.
func (h *health) look() {
	ready := h.app.Health().Ready
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.note(ready)
	}
}

// note notes whether services serve, and tells who watches if that is new. The
// lock is held.
func (h *health) note(ready bool) {
	next := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		next = healthpb.HealthCheckResponse_SERVING
	}
	if next != h.status {
		h.status = next
		h.tell()
	}
}

// tell wakes who watches. The lock is held.
func (h *health) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// close tells who watches that nothing is served any more, and ends them.
func (h *health) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		h.note(false)
		h.tell()
	}
}

// now is how a service stands, and what to wait for to hear more.
func (h *health) now(name string) (s serving, known, closed bool, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.services[name] {
		return healthpb.HealthCheckResponse_SERVICE_UNKNOWN, false, h.closed, h.changed
	}
	return h.status, true, h.closed, h.changed
}

// Check implements [healthpb.HealthServer].
func (h *health) Check(_ context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	s, known, _, _ := h.now(req.GetService())
	if !known {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	return &healthpb.HealthCheckResponse{Status: s}, nil
}

// List implements [healthpb.HealthServer].
func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string]*healthpb.HealthCheckResponse)
	for name := range h.services {
		all[name] = &healthpb.HealthCheckResponse{Status: h.status}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch implements [healthpb.HealthServer]: it tells how a service stands, and
// every change. A service that is not known may come to be, says the protocol;
// here none does.
func (h *health) Watch(req *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	told := serving(-1)
	for {
		s, _, closed, changed := h.now(req.GetService())
		if s != told {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: s}); err != nil {
				return err
			}
			told = s
		}
		if closed {
			return status.Error(codes.Unavailable, "the service stops")
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}
