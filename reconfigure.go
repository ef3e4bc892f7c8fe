package slipway

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// A Configuration is how what an app runs with stands to what it is configured
// with now.
type Configuration struct {
	// Rejected is why the configuration that is there now is not used; nil if it
	// is. Since is when it was refused first.
	Rejected error
	Since    time.Time

	// Pending are the keys that wait for a restart: Old is what the app runs with,
	// New what is configured. Secrets are masked.
	Pending []config.Change
}

// Configuration returns whether the app runs with what it is configured with.
func (a *App) Configuration() Configuration {
	a.settings.mu.Lock()
	defer a.settings.mu.Unlock()
	now := a.settings.state
	now.Pending = slices.Clone(now.Pending)
	return now
}

// Reconfigure makes other values the app's. All that can change in a running
// service changes, or on an error nothing does; it costs no rebalance, and what
// is being handled finishes as it began. It returns the keys that differ from
// those the app started with and need a restart.
//
// Of how an entry is consumed only what is configured otherwise than before
// changes: what [App.Tune] changed by hand stays until its own key does.
//
// The values have to be of the app's own contract. It is safe for concurrent use.
func (a *App) Reconfigure(next *config.Values) (pending []config.Change, err error) {
	s := &a.settings
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := a.usable(next); err != nil {
		a.refuse(err)
		return nil, err
	}
	before := s.now.Load()
	now, tell := s.stage(before, next)
	diff := before.values.Diff(next)
	pending = slices.DeleteFunc(s.began.Diff(next), func(c config.Change) bool { return c.Live })

	s.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(s.written)) {
		if c, e := a.consumption(name); e != nil {
			c.tune(e, tuningOf(next, name).since(tuningOf(before.values, name)))
		}
	}
	s.now.Store(now)
	recovered := s.state.Rejected != nil
	s.state = Configuration{Pending: pending}
	s.mu.Unlock()

	s.refused = ""
	a.tellChanges(diff, pending, recovered)
	for _, t := range tell {
		t()
	}
	return slices.Clone(pending), nil
}

// Misconfigured notes that the configuration that is there now cannot be used,
// and why: for whoever reads it and finds it wrong before there are values.
// The app goes on with what it has, and stays ready. [App.Reconfigure] notes
// that it is good again.
func (a *App) Misconfigured(why error) {
	a.settings.changing.Lock()
	defer a.settings.changing.Unlock()
	a.refuse(why)
}

// refuse notes and tells of a configuration that is not used, once for each
// that differs. The lock of changes is held.
func (a *App) refuse(why error) {
	s := &a.settings
	if s.refused == why.Error() {
		return
	}
	s.refused = why.Error()
	s.rejected.Add(1)
	s.mu.Lock()
	s.state.Rejected = why
	if s.state.Since.IsZero() {
		s.state.Since = time.Now()
	}
	s.mu.Unlock()
	a.log.Warn("configuration refused, all stays as it is", "code", diag.SettingsRefused, "faults", max(len(diag.Of(why)), 1), "error", why, "fix", remedies(why))
}

// remedies are what to do about each fault.
func remedies(why error) string {
	var all []string
	for _, d := range diag.Of(why) {
		all = append(all, d.Remedy())
	}
	return strings.Join(all, "; ")
}

// usable finds what keeps values from being used, also those that a restart
// would fail for.
func (a *App) usable(next *config.Values) error {
	if next == nil {
		return errors.New("reconfigure: no values")
	}
	entries, faults := configured(a.contract, a.settings.written, next)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		faults = append(faults, a.untransactable(name, entries[name])...)
	}
	return append(faults, a.disunited(entries)...).Err()
}

// stage reads the settings of code from other values, and returns what tells of
// those that differ.
func (s *settings) stage(before *configuredNow, next *config.Values) (now *configuredNow, tell []func()) {
	now = &configuredNow{values: next, own: slices.Clone(before.own)}
	for i, own := range s.own {
		if !own.live() {
			continue
		}
		value := own.read(next)
		if reflect.DeepEqual(value, before.own[i]) {
			continue
		}
		now.own[i] = value
		tell = append(tell, func() { own.tell(value) })
	}
	return now, tell
}

// tellChanges logs what has changed, by key: values may be secrets.
func (a *App) tellChanges(diff, pending []config.Change, recovered bool) {
	var live, waiting []string
	for _, c := range diff {
		if c.Live {
			live = append(live, c.Key)
		} else if slices.ContainsFunc(pending, func(p config.Change) bool { return p.Key == c.Key }) {
			waiting = append(waiting, c.Key)
		}
	}
	if len(diff) > 0 {
		a.settings.applied.Add(1)
		a.log.Info("configuration applied", "changed", live)
	} else if recovered {
		a.log.Info("configuration is good again, and as it was")
	}
	if len(waiting) > 0 {
		a.log.Warn("settings wait for a restart", "code", diag.SettingsPending, "keys", waiting)
	}
}

// judgeSettings is whether the service runs with what it is configured with. It
// only ever warns: the service works as it did before.
func (a *App) judgeSettings() []finding {
	const name = "configuration"
	now := a.Configuration()
	switch {
	case now.Rejected != nil:
		return []finding{warning(name, diag.SettingsRefused, "refused since %s, the service goes on as it was: %s",
			now.Since.UTC().Format(time.RFC3339), firstOf(now.Rejected))}
	case len(now.Pending) > 0:
		return []finding{warning(name, diag.SettingsPending, "waits for a restart: %s", strings.Join(keysOf(now.Pending), ", "))}
	default:
		return []finding{okay(name, "")}
	}
}

// firstOf is the first fault of an error, and how many more there are.
func firstOf(err error) string {
	faults := diag.Of(err)
	switch len(faults) {
	case 0:
		return err.Error()
	case 1:
		return faults[0].Error()
	default:
		return fmt.Sprintf("%v, and %d more", faults[0], len(faults)-1)
	}
}

func keysOf(changes []config.Change) []string {
	keys := make([]string, len(changes))
	for i, c := range changes {
		keys[i] = c.Key
	}
	return keys
}
