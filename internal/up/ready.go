package up

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/kafka"
)

const (
	readyInterval = 250 * time.Millisecond
	probeTimeout  = 2 * time.Second

	// settle is how long a service must have run that has neither a group nor
	// a port to ask: long enough for most that cannot start to have ended.
	settle = 500 * time.Millisecond
)

// readiness finds out what a run still waits for.
type readiness struct {
	groups     []groupWant
	partitions map[string]int    // by topic
	urls       map[string]string // by service, of those that listen
	running    map[string]func() time.Duration
	look       func(ctx context.Context, ids ...string) ([]kafka.Group, error)
	probe      func(ctx context.Context, url string) error
}

// A wait is one thing that is not ready.
type wait struct{ service, reason string }

// await returns when everything is ready, and what is not once the timeout has
// passed. A context that ends first is no business of a service's.
func (r readiness) await(ctx context.Context, timeout time.Duration) ([]wait, error) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for {
		left := r.waits(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if len(left) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-deadline.C:
			return left, nil
		case <-tick.C:
		}
	}
}

// waits is what is not ready now.
func (r readiness) waits(ctx context.Context) []wait {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	left := append(r.processWaits(), r.groupWaits(ctx)...)
	for service, url := range r.urls {
		if err := r.probe(ctx, url+"/readyz"); err != nil {
			left = append(left, wait{service, err.Error()})
		}
	}
	slices.SortFunc(left, func(a, b wait) int { return strings.Compare(a.service+" "+a.reason, b.service+" "+b.reason) })
	return left
}

// processWaits are the services that do not run, or only just do.
func (r readiness) processWaits() []wait {
	var left []wait
	for service, running := range r.running {
		_, listens := r.urls[service]
		asked := listens || slices.ContainsFunc(r.groups, func(g groupWant) bool { return g.service == service })
		switch ran := running(); {
		case ran == 0:
			left = append(left, wait{service, "no process of it runs"})
		case ran < settle && !asked:
			left = append(left, wait{service, "it was started a moment ago"})
		}
	}
	return left
}

func (r readiness) groupWaits(ctx context.Context) []wait {
	if len(r.groups) == 0 {
		return nil
	}
	groups, err := r.look(ctx, ids(r.groups)...)
	var left []wait
	for i, want := range r.groups {
		var reason string
		if err != nil {
			reason = err.Error()
		} else {
			reason = r.unready(want, groups[i])
		}
		if reason != "" {
			left = append(left, wait{want.service, reason})
		}
	}
	return left
}

// unready says why a group is not consuming everything it must; nothing if it
// is.
func (r readiness) unready(want groupWant, have kafka.Group) string {
	switch {
	case have.Err != nil:
		return have.Err.Error()
	case have.Members == 0:
		return fmt.Sprintf("group %s has no member", want.id)
	case have.State != "Stable":
		return fmt.Sprintf("group %s is %s", want.id, have.State)
	}
	assigned := map[string]int{}
	for _, t := range have.Topics {
		assigned[t.Topic] = t.Assigned
	}
	for _, topic := range want.topics {
		if assigned[topic] < r.partitions[topic] {
			return fmt.Sprintf("group %s reads %d of %d partitions of %s", want.id, assigned[topic], r.partitions[topic], topic)
		}
	}
	return ""
}

func ids(groups []groupWant) []string {
	out := make([]string, len(groups))
	for i, g := range groups {
		out[i] = g.id
	}
	return out
}

// probeHTTP asks a service whether it is ready. It follows no redirect: the
// service itself must say so.
func probeHTTP(ctx context.Context, url string) error {
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answers %s", url, resp.Status)
	}
	return nil
}

// awaitReady waits until every service consumes and answers.
func (r *run) awaitReady(ctx context.Context, c *cluster, all []*service) error {
	check := readiness{
		groups:     r.groups,
		partitions: map[string]int{},
		urls:       map[string]string{},
		running:    map[string]func() time.Duration{},
		look:       c.kafka.Groups,
		probe:      probeHTTP,
	}
	var topics []string
	for _, g := range r.groups {
		topics = append(topics, g.topics...)
	}
	found, err := c.kafka.Topics(ctx, topics...)
	if err != nil {
		return err
	}
	for name, t := range found {
		check.partitions[name] = t.Partitions
	}
	for _, s := range all {
		check.running[s.service.Name] = s.running
		if s.url != "" {
			check.urls[s.service.Name] = s.url
		}
	}
	left, err := check.await(ctx, r.cfg.ReadyTimeout)
	if err != nil {
		return err
	}
	return notReady(left, all, r.cfg.ReadyTimeout)
}

// notReady names every service that is late, with what it waits for and its
// last words.
func notReady(left []wait, all []*service, timeout time.Duration) error {
	var faults []error
	for _, s := range all {
		d := diag.New(diag.UpNotReady, "%s is not ready after %v", s.service.Name, timeout).At(diag.Position{File: s.service.File()})
		late := false
		for _, w := range left {
			if w.service == s.service.Name {
				d, late = d.WithEvidence("%s", w.reason), true
			}
		}
		if late {
			faults = append(faults, s.said.show(d))
		}
	}
	return errors.Join(faults...)
}
