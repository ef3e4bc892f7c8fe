package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/slipway-go/slipway/plan"
)

// driftGauges are the figures of a watch. The zero value has looked at nothing.
type driftGauges struct {
	mu      sync.Mutex
	changes map[plan.Kind]map[plan.Class]int
	orphans map[plan.Kind]int
	last    time.Time // zero before the first look that succeeded
	errors  int
}

func (g *driftGauges) looked(p *plan.Plan, now time.Time) {
	changes, orphans := map[plan.Kind]map[plan.Class]int{}, map[plan.Kind]int{}
	for _, k := range planKinds {
		changes[k] = map[plan.Class]int{}
	}
	for _, c := range p.Changes {
		changes[c.Kind][c.Class]++
	}
	for _, o := range p.Orphans {
		orphans[o.Kind]++
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes, g.orphans, g.last = changes, orphans, now
}

func (g *driftGauges) failed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errors++
}

// write writes the text that Prometheus reads: every series from the first
// look on, zero or not, so that alerts see them come and go.
func (g *driftGauges) write(w io.Writer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	head := func(name, kind, help string) { fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	if !g.last.IsZero() {
		head("slipway_drift_changes", "gauge", "Differences between what contracts call for and what the cluster has.")
		for _, k := range planKinds {
			for _, c := range []plan.Class{plan.Safe, plan.Disruptive, plan.Destructive, plan.Impossible} {
				fmt.Fprintf(w, "slipway_drift_changes{kind=%q,class=%q} %d\n", k, c, g.changes[k][c])
			}
		}
		head("slipway_drift_orphans", "gauge", "Things that are the estate's by name and in no contract.")
		for _, k := range planKinds {
			fmt.Fprintf(w, "slipway_drift_orphans{kind=%q} %d\n", k, g.orphans[k])
		}
		head("slipway_drift_last_success_timestamp_seconds", "gauge", "When the cluster was last looked at.")
		fmt.Fprintf(w, "slipway_drift_last_success_timestamp_seconds %d\n", g.last.Unix())
	}
	head("slipway_drift_errors_total", "counter", "Looks that failed.")
	fmt.Fprintf(w, "slipway_drift_errors_total %d\n", g.errors)
}

// serve answers at /metrics until it is stopped.
func (g *driftGauges) serve(address string) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		g.write(w)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // ends with Close, the only way it is ended
	return func() {
		_ = server.Close()
		serving.Wait()
	}, nil
}
