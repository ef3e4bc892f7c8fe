package slipway

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A SettingValue is a Go type that a setting of the contract's config block can
// be read as.
type SettingValue interface {
	string | int64 | float64 | bool | time.Duration | []string
}

// A Setting is one of the service's own settings: a key of the contract's
// config block, with the value it has now. It is safe for concurrent use.
type Setting[T SettingValue] struct {
	key   string
	fixed bool      // until a restart
	bytes bool      // a size
	of    *settings // nil for one that could not be made
	index int

	mu       sync.Mutex
	watchers []func(T)
}

// ownSetting is a [Setting] whose type is not known.
type ownSetting interface {
	live() bool
	read(v *config.Values) any
	tell(value any)
}

// NewSetting returns a setting of the contract's config block. Where the
// contract does not declare the key, or declares it with a type that is not read
// as T, [App.Run] fails and names both.
//
// A string is a string, an integer and a size in bytes an int64, a number a
// float64, a boolean a bool, a duration a time.Duration, a list a []string.
//
// Call it where the service is wired, before [App.Run].
func NewSetting[T SettingValue](a *App, key string) *Setting[T] {
	s := &Setting[T]{key: key}
	declared := a.contract.Config[key]
	if declared == nil {
		a.faults.Add(diag.New(diag.SettingUndeclared, "the code reads the setting %q, which the contract of %s does not declare", key, a.contract.Name).
			At(a.contract.Position("config")).WithFix("declare it under config, or use one of %s", list(a.contract.Config)))
		return s
	}
	if want := goTypes[declared.Type]; want != reflect.TypeFor[T]() {
		a.faults.Add(diag.New(diag.SettingType, "the code reads the setting %q as %v, and the contract of %s declares it as %s", key, reflect.TypeFor[T](), a.contract.Name, declared.Type).
			At(a.contract.Position("config", key)).WithFix("use slipway.NewSetting[%v](app, %q), or change the type in the contract", want, key))
		return s
	}
	s.of, s.fixed, s.bytes = &a.settings, !declared.Live, declared.Type == contract.BytesSetting
	s.index = a.settings.add(s)
	return s
}

// Get returns the value. It costs two loads, so ask for it whenever it is
// needed rather than to keep it. All settings change at once: what is read after
// a change is of that change or of a later one. Do not change a list.
func (s *Setting[T]) Get() T {
	if s.of == nil {
		var none T
		return none // the app does not run with it
	}
	return s.of.now.Load().own[s.index].(T)
}

// OnChange calls fn with the new value whenever it has changed, in the order of
// the changes and one at a time, over all settings. What fn does holds up the
// next change, so it should be short, and must not call [App.Reconfigure].
func (s *Setting[T]) OnChange(fn func(T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, fn)
}

func (s *Setting[T]) live() bool { return !s.fixed }

func (s *Setting[T]) tell(value any) {
	s.mu.Lock()
	watchers := slices.Clone(s.watchers)
	s.mu.Unlock()
	for _, fn := range watchers {
		fn(value.(T))
	}
}

func (s *Setting[T]) read(v *config.Values) any {
	var value T
	switch p := any(&value).(type) {
	case *string:
		*p = v.Text(s.key)
	case *int64:
		if s.bytes {
			*p = int64(v.Bytes(s.key))
		} else {
			*p = v.Int(s.key)
		}
	case *float64:
		*p = v.Float(s.key)
	case *bool:
		*p = v.Bool(s.key)
	case *time.Duration:
		*p = v.Duration(s.key)
	case *[]string:
		*p = v.List(s.key)
	}
	return value
}

// add registers a setting and returns its place.
func (s *settings) add(own ownSetting) int {
	s.changing.Lock()
	defer s.changing.Unlock()
	now := s.now.Load()
	s.own = append(s.own, own)
	s.now.Store(&configuredNow{values: now.values, own: append(slices.Clip(now.own), own.read(now.values))})
	return len(s.own) - 1
}

// goTypes are what declared settings are read as.
var goTypes = map[contract.SettingType]reflect.Type{
	contract.StringSetting:   reflect.TypeFor[string](),
	contract.IntegerSetting:  reflect.TypeFor[int64](),
	contract.BytesSetting:    reflect.TypeFor[int64](),
	contract.NumberSetting:   reflect.TypeFor[float64](),
	contract.BooleanSetting:  reflect.TypeFor[bool](),
	contract.DurationSetting: reflect.TypeFor[time.Duration](),
	contract.ListSetting:     reflect.TypeFor[[]string](),
}
