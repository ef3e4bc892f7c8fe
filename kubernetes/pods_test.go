//go:build kubernetes

package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// pods are those of a workload as the API server tells of them, change by change, so
// that no moment between two looks is missed.
type pods struct {
	mu      sync.Mutex
	now     map[string]object // by UID
	least   int               // that were ready at once
	changed chan struct{}     // is closed and replaced with every change
	err     error
}

// watch follows the pods with a selector until the test ends.
func (p *plane) watch(t *testing.T, ns, selector string) *pods {
	t.Helper()
	path := "/api/v1/namespaces/" + ns + "/pods?labelSelector=" + url.QueryEscape(selector)
	list, err := p.do(t.Context(), "GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &pods{now: map[string]object{}, changed: make(chan struct{})}
	items, _ := list["items"].([]any)
	for _, item := range items {
		pod := object(item.(map[string]any))
		w.now[pod.uid()] = pod
	}
	w.least = w.ready()
	resp, err := p.send(t.Context(), "GET", path+"&watch=1&resourceVersion="+list.text("metadata", "resourceVersion"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.follow(json.NewDecoder(resp.Body))
	}()
	t.Cleanup(func() {
		_ = resp.Body.Close()
		<-ended
	})
	return w
}

func (w *pods) follow(events *json.Decoder) {
	for {
		var event struct {
			Type   string
			Object object
		}
		err := events.Decode(&event)
		w.mu.Lock()
		switch {
		case err != nil:
			w.err = err
		case event.Type == "DELETED":
			delete(w.now, event.Object.uid())
		default:
			w.now[event.Object.uid()] = event.Object
		}
		w.least = min(w.least, w.ready())
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// ready counts the pods that take work and have not been told to go.
func (w *pods) ready() int {
	n := 0
	for _, pod := range w.now {
		if pod.condition("Ready") == "True" && pod.at("metadata", "deletionTimestamp") == nil {
			n++
		}
	}
	return n
}

// until waits for what is to become true of the pods, and returns the fewest that
// were ready at any time so far.
func (w *pods) until(t *testing.T, what string, holds func(all []object) bool) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for {
		w.mu.Lock()
		all := slices.Collect(maps.Values(w.now))
		changed, least, err := w.changed, w.least, w.err
		w.mu.Unlock()
		if holds(all) {
			return least
		}
		if err != nil {
			t.Fatalf("watch pods: %v", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s: it does not come to that; pods: %s", what, told(all))
		}
	}
}

// forget begins to count anew.
func (w *pods) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.least = w.ready()
}

// uids are those of the pods that are there, in order.
func (w *pods) uids() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.now))
}

// settled reports whether there are so many pods, all of them ready.
func settled(n int) func([]object) bool {
	return func(all []object) bool {
		return len(all) == n && !slices.ContainsFunc(all, func(pod object) bool {
			return pod.condition("Ready") != "True" || pod.at("metadata", "deletionTimestamp") != nil
		})
	}
}

// told is what there is to say of pods that are not as they should be.
func told(all []object) string {
	text := fmt.Sprintf("%d of them", len(all))
	for _, pod := range all {
		text += fmt.Sprintf("\n%s on %q: %s, ready %q; %v", pod.name(), pod.text("spec", "nodeName"), pod.text("status", "phase"), pod.condition("Ready"), pod.at("status", "conditions"))
	}
	return text
}
