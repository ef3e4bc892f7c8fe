package slipway

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Tuning is how an entry is consumed, as far as it can change while the
// service runs. Nothing of it leaves the group or loses what is in hand. In a
// change, what is nil stays as it is.
type Tuning struct {
	// Concurrency is how many handlers may run at a time. From 1 to 10,000.
	Concurrency *int `json:"concurrency,omitempty"`

	// Bulkhead bounds handlers too; 0 means no bound.
	Bulkhead *int `json:"bulkhead,omitempty"`

	// Rate is how many records a second are handled; 0 means no bound.
	Rate *float64 `json:"rate,omitempty"`

	// TimeoutMillis is how long an attempt may take, in milliseconds.
	TimeoutMillis *int64 `json:"timeout_ms,omitempty"`

	// Paused stops fetching and handling of the topic.
	Paused *bool `json:"paused,omitempty"`

	// Held are the keys whose records stay where they are. In a change they
	// replace those that were held; an empty list lets all go on.
	Held *[]string `json:"held,omitempty"`
}

const (
	maxConcurrency = 10_000
	maxTimeout     = 24 * time.Hour
)

func (t Tuning) validate() diag.List {
	var faults diag.List
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			faults.Add(diag.New(diag.RuntimeTuningInvalid, format, args...))
		}
	}
	if n := t.Concurrency; n != nil {
		bad(*n < 1 || *n > maxConcurrency, "concurrency is %d, want 1 to %d", *n, maxConcurrency)
	}
	if n := t.Bulkhead; n != nil {
		bad(*n < 0, "bulkhead is %d, want 0 or more", *n)
	}
	if r := t.Rate; r != nil {
		bad(!(*r >= 0 && *r < 1e12), "rate is %v, want 0 or more", *r)
	}
	if ms := t.TimeoutMillis; ms != nil {
		bad(*ms < 1 || *ms > maxTimeout.Milliseconds(), "timeout_ms is %d, want 1 to %d", *ms, maxTimeout.Milliseconds())
	}
	return faults
}

// Tune changes how an entry is consumed and returns how it is then. It takes
// effect for the next record: what runs finishes under the old bounds. All of a
// change is made, or nothing. It concerns this instance alone, stays until
// that very key is configured otherwise ([App.Reconfigure]), and is forgotten at
// the instance's end.
//
// A held key's records stay in memory, and those behind them in the partition
// cannot be committed for good: it is a measure for minutes. To stop a key for
// longer, park it.
func (a *App) Tune(entry string, change Tuning) (Tuning, error) {
	c, e := a.consumption(entry)
	switch {
	case e == nil && a.contract.Consumes[entry] != nil && a.contract.Consumes[entry].Grouped():
		return Tuning{}, fmt.Errorf("tune %s: %w", entry, ErrNotRunning)
	case e == nil:
		return Tuning{}, diag.New(diag.RuntimeTuningInvalid, "entry %q is not consumed", entry).
			WithFix("the service consumes %s", list(a.entries))
	}
	if err := change.validate().Err(); err != nil {
		return Tuning{}, err
	}
	a.settings.mu.Lock()
	c.tune(e, change)
	now := e.tuning()
	a.settings.mu.Unlock()
	a.log.Info("consumption tuned", "entry", entry, "now", fmt.Sprintf("%+v", now.plain()))
	return now, nil
}

// Tuned returns how each entry is consumed now. It is empty before the app runs.
func (a *App) Tuned() map[string]Tuning {
	a.settings.mu.Lock()
	defer a.settings.mu.Unlock()
	all := make(map[string]Tuning)
	for name := range a.contract.Consumes {
		if _, e := a.consumption(name); e != nil {
			all[name] = e.tuning()
		}
	}
	return all
}

// consumption is the running consumer of an entry, nil if there is none.
func (a *App) consumption(name string) (*consumer, *entry) {
	a.health.mu.Lock()
	defer a.health.mu.Unlock()
	for _, c := range a.health.members {
		for _, e := range c.entries {
			if e.Name == name {
				return c, e
			}
		}
	}
	return nil, nil
}

func (c *consumer) tune(e *entry, t Tuning) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.Concurrency != nil {
		e.workers = *t.Concurrency
		e.lanes.Resize(*t.Concurrency)
		c.expect(*t.Concurrency)
	}
	if t.TimeoutMillis != nil {
		e.timeout.Store(int64(time.Duration(*t.TimeoutMillis) * time.Millisecond))
	}
	if t.Bulkhead != nil {
		e.gated.Store(true)
		e.gate.Bulkhead().Set(*t.Bulkhead)
	}
	if t.Rate != nil {
		e.rate = *t.Rate
		e.gated.Store(true)
		e.gate.Rate().Set(*t.Rate)
	}
	if t.Held != nil {
		e.hold(*t.Held)
	}
	if t.Paused != nil && *t.Paused != e.paused.Load() {
		e.paused.Store(*t.Paused)
		for _, p := range c.all() {
			if p.entry == e && *t.Paused {
				p.pause(held)
			} else if p.entry == e {
				p.resume(held)
			}
		}
	}
	e.wake()
}

// hold keeps the heads of some keys where they are, and lets others go on. The
// lock is held.
func (e *entry) hold(keys []string) {
	if len(keys) == 0 {
		e.keys.Store(nil)
		return
	}
	set := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		set[k] = struct{}{}
	}
	e.keys.Store(&set)
}

func (e *entry) tuning() Tuning {
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := []string{}
	if held := e.keys.Load(); held != nil {
		keys = slices.Sorted(maps.Keys(*held))
	}
	return Tuning{
		Concurrency: new(e.workers), Bulkhead: new(e.gate.Bulkhead().Limit()), Rate: new(e.rate),
		TimeoutMillis: new(time.Duration(e.timeout.Load()).Milliseconds()), Paused: new(e.paused.Load()), Held: &keys,
	}
}

// plain is a complete tuning in a form that reads well in a log.
func (t Tuning) plain() map[string]any {
	return map[string]any{
		"concurrency": *t.Concurrency, "bulkhead": *t.Bulkhead, "rate": *t.Rate, "timeout_ms": *t.TimeoutMillis,
		"paused": *t.Paused, "held_keys": len(*t.Held), // keys may be personal data
	}
}
