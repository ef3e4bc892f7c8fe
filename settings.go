package slipway

import (
	"context"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
)

// settings are what an app is configured with, from its start to now. See
// [App.Reconfigure] for how they change.
type settings struct {
	began   *config.Values                // what needs a restart is as it was then
	written map[string]*contract.Consume  // the contract's entries before settings were applied
	now     atomic.Pointer[configuredNow] // swapped whole

	changing sync.Mutex // held while a change is made and told of

	// mu is held while consumption changes, so that whoever reads how several
	// entries stand sees all of a change or nothing. It comes before the locks of
	// consumers and entries.
	mu      sync.Mutex
	own     []ownSetting // in the order of their registration
	state   Configuration
	refused string // what was told of last

	applied, rejected atomic.Int64
}

// configuredNow is one state of all settings: the values, and those that code
// reads, by the order of their registration.
type configuredNow struct {
	values *config.Values
	own    []any
}

// defaultSettings are the values of a program that brings none: its files and
// the contract.
func defaultSettings(files fs.FS, svc *contract.Service) (*config.Values, error) {
	loader, err := config.New(config.Config{Contract: svc, Files: files, Environ: []string{"ENVIRONMENT=" + svc.Env}})
	if err != nil {
		return nil, err
	}
	return loader.Load(context.Background())
}

// configure makes the contract what the settings make of it.
func (a *App) configure(v *config.Values) error {
	if v == nil {
		var err error
		if v, err = defaultSettings(a.cfg.Files, a.contract); err != nil {
			return err
		}
	}
	a.settings.written = a.contract.Consumes
	consumes, faults := configured(a.contract, a.settings.written, v)
	if err := faults.Err(); err != nil {
		return err
	}
	a.contract.Consumes = consumes
	a.settings.began = v
	a.settings.now.Store(&configuredNow{values: v})
	return nil
}

// Settings is what the app is configured with. After a change it is what
// [App.Reconfigure] was given last, also in keys that wait for a restart:
// [App.Configuration] lists those.
func (a *App) Settings() *config.Values { return a.settings.now.Load().values }

// begin consumes as the settings say from the first record on.
func (a *App) begin() {
	a.settings.mu.Lock()
	defer a.settings.mu.Unlock()
	v := a.Settings()
	for name := range a.settings.written {
		if c, e := a.consumption(name); e != nil {
			c.tune(e, tuningOf(v, name))
		}
	}
}

// tuningOf is how an entry is to be consumed.
func tuningOf(v *config.Values, entry string) Tuning {
	at := func(setting string) string { return "consumes." + entry + "." + setting }
	held := slices.Clone(v.List(at("held")))
	return Tuning{
		Concurrency:   new(int(v.Int(at("concurrency")))),
		Bulkhead:      new(int(v.Int(at("bulkhead")))),
		Rate:          new(v.Float(at("rate"))),
		TimeoutMillis: new(v.Duration(at("timeout")).Milliseconds()),
		Paused:        new(v.Bool(at("paused"))),
		Held:          &held,
	}
}

// since is what a tuning changes of another one. Both are complete.
func (t Tuning) since(old Tuning) Tuning {
	return Tuning{
		Concurrency:   changed(t.Concurrency, old.Concurrency),
		Bulkhead:      changed(t.Bulkhead, old.Bulkhead),
		Rate:          changed(t.Rate, old.Rate),
		TimeoutMillis: changed(t.TimeoutMillis, old.TimeoutMillis),
		Paused:        changed(t.Paused, old.Paused),
		Held:          t.heldSince(old),
	}
}

func changed[T comparable](now, old *T) *T {
	if *now == *old {
		return nil
	}
	return now
}

func (t Tuning) heldSince(old Tuning) *[]string {
	if slices.Equal(*t.Held, *old.Held) {
		return nil
	}
	return t.Held
}
