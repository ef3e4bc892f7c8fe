//go:build kubernetes

package kubernetes_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"
)

// pods are those of a workload.
type pods struct {
	feed
	now   map[string]object // by UID
	least int               // that were ready at once
	order []string          // names of those that were made, in order
}

// watch follows the pods with a selector until the test ends.
func (p *plane) watch(t *testing.T, ns, selector string) *pods {
	t.Helper()
	w := &pods{now: map[string]object{}}
	w.follow(t, p, "/api/v1/namespaces/"+ns+"/pods?labelSelector="+url.QueryEscape(selector), func(e event) {
		switch e.Type {
		case "DELETED":
			delete(w.now, e.Object.uid())
		case "ADDED":
			w.order = append(w.order, e.Object.name())
			fallthrough
		default:
			w.now[e.Object.uid()] = e.Object
		}
		w.least = min(w.least, w.ready())
	})
	w.forget()
	return w
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

// all are the pods that are there, and the fewest that were ready at any time so far.
func (w *pods) all() (all []object, least int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.now)), w.least
}

// until waits for what is to become true of the pods, and returns the fewest that
// were ready at any time so far.
func (w *pods) until(t *testing.T, what string, holds func(all []object) bool) int {
	t.Helper()
	var all []object
	var least int
	w.await(t, 90*time.Second, what, func() bool {
		all, least = w.all()
		return holds(all)
	}, func() string { return told(all) })
	return least
}

// forget begins to count anew.
func (w *pods) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.least, w.order = w.ready(), nil
}

// made are the names of the pods that have been made, in order.
func (w *pods) made() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.order)
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

// renewed reports whether there are so many pods, all of them ready and none of them
// one that was there before.
func renewed(n int, before []string) func([]object) bool {
	return func(all []object) bool {
		return settled(n)(all) && !slices.ContainsFunc(all, func(pod object) bool { return slices.Contains(before, pod.uid()) })
	}
}

// told is what there is to say of pods that are not as they should be.
func told(all []object) string {
	text := fmt.Sprintf("%d pods", len(all))
	for _, pod := range all {
		text += fmt.Sprintf("\n%s on %q: %s, ready %q; %v", pod.name(), pod.text("spec", "nodeName"), pod.text("status", "phase"), pod.condition("Ready"), pod.at("status", "conditions"))
	}
	return text
}
