package serve

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A gate lets requests through to the service while it runs. Before that its
// producers are not there yet, and afterwards not any more; the port is open all
// the time, for the probes.
type gate struct {
	next    http.Handler
	started func() bool // whether the service runs, which may be known before run is called

	mu    sync.Mutex
	state gateState
	open  int           // requests
	idle  chan struct{} // closed when none is open and none comes
}

type gateState uint8

const (
	starting gateState = iota
	running
	stopping
)

func newGate(next http.Handler, started func() bool) *gate {
	return &gate{next: next, started: started, idle: make(chan struct{})}
}

// ServeHTTP implements [http.Handler].
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch g.enter() {
	case running:
		defer g.leave()
		g.next.ServeHTTP(w, r)
		return
	case starting:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the service starts", http.StatusServiceUnavailable)
	case stopping:
		w.Header().Set("Connection", "close") // another instance may have the next request
		http.Error(w, "the service stops", http.StatusServiceUnavailable)
	}
}

func (g *gate) enter() gateState {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == starting && g.started() {
		g.state = running
	}
	if g.state == running {
		g.open++
	}
	return g.state
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	g.settle()
}

// settle tells run that nothing is open. The lock is held.
func (g *gate) settle() {
	if g.state == stopping && g.open == 0 {
		close(g.idle)
	}
}

// run opens the gate until ctx ends, and then waits for the requests that are
// open, no longer than the budget. It is an error that some are left.
func (g *gate) run(ctx context.Context, budget time.Duration) error {
	g.become(running)
	<-ctx.Done()
	g.become(stopping)
	select {
	case <-g.idle:
		return nil
	case <-time.After(budget):
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == 0 {
		return nil
	}
	return fmt.Errorf("%d requests are not answered after %v", g.open, budget)
}

func (g *gate) become(s gateState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = s
	g.settle()
}
