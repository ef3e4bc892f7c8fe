//go:build kubernetes

package kubernetes_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"
)

// A feed is what the API server tells of objects, change by change, so that no moment
// between two looks is missed.
type feed struct {
	mu      sync.Mutex
	changed chan struct{} // is closed and replaced with every change
	err     error         // why nothing more is told
}

// An event is that an object is there, has changed or has gone.
type event struct {
	Type   string // ADDED, MODIFIED or DELETED
	Object object
}

// follow tells of the objects that a query finds and, until the test ends, of each
// change. While tell runs, the feed is locked.
func (f *feed) follow(t *testing.T, p *plane, query string, tell func(e event)) {
	t.Helper()
	list, err := p.do(t.Context(), "GET", query, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.changed = make(chan struct{})
	items, _ := list["items"].([]any)
	for _, item := range items {
		tell(event{"ADDED", item.(map[string]any)})
	}
	resp, err := p.send(t.Context(), "GET", query+"&watch=1&resourceVersion="+list.text("metadata", "resourceVersion"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		events := json.NewDecoder(resp.Body)
		for f.take(events, tell) == nil {
		}
	}()
	t.Cleanup(func() {
		_ = resp.Body.Close()
		<-ended
	})
}

// take tells of the next event.
func (f *feed) take(events *json.Decoder, tell func(e event)) error {
	var e event
	err := events.Decode(&e)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.err = err
	} else {
		tell(e)
	}
	close(f.changed)
	f.changed = make(chan struct{})
	return err
}

// await waits for what is to become true, which is looked at after each change.
func (f *feed) await(t *testing.T, within time.Duration, what string, holds func() bool, told func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		f.mu.Lock()
		changed, err := f.changed, f.err
		f.mu.Unlock()
		if holds() {
			return
		}
		if err != nil {
			t.Fatalf("%s: the API server tells no more: %v", what, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s: it does not come to that within %v: %s", what, within, told())
		}
	}
}
