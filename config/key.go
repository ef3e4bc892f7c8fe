package config

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/contract"
)

// A Key is one line of the table of what can be configured.
type Key struct {
	Name    string // dotted; <entry> stands for an entry of consumes, <alias> for a cluster
	Type    string // what the value is: duration, integer, list, text | json
	Bounds  string // such as 1ms to 1d; empty where there are none
	Default string // empty means none

	// Variables are the environment variables that give the value, the one
	// that wins first.
	Variables []string

	Live     bool // a change reaches the running service; else the next start takes it up
	Secret   bool // its value is shown nowhere
	Required bool // a service does not start before something gives a value
	Doc      string

	own     bool     // it is a setting of the service's own
	entry   string   // of consumes, for a key that concerns one
	cluster string   // alias, for a key that concerns one
	path    []string // the mappings of a file that lead to it
	kind    *kind
	whole   string // the key for all entries that one for an entry falls back to
	part    string // of the contract's entry that says the same: retry/backoff
	of      func(*contract.Consume) string
}

// template stands for the name of an entry.
const template = "<entry>"

// aliasTemplate stands for the alias of a cluster.
const aliasTemplate = "<alias>"

// prefix is what every key's own variable begins with.
const prefix = "SLIPWAY_"

// variable is a key as a variable, without the prefix.
func variable(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, key)
}

// Keys is the table: the keys of every service, in the order they are
// documented in.
func Keys() []Key {
	all := make([]Key, 0, len(surroundings)+2*len(consumption))
	for _, k := range surroundings {
		k.path = strings.Split(k.Name, ".")
		k.Variables = []string{prefix + variable(k.Name), variable(k.Name)}
		all = append(all, k.described())
	}
	all = append(all, clusterKeys(aliasTemplate)...)
	for _, k := range consumption {
		if !k.single {
			all = append(all, k.forAll())
		}
	}
	for _, k := range consumption {
		all = append(all, k.forEntry(template))
	}
	return all
}

// KeysOf is the table of one service, sorted by name: keys for each entry that
// it consumes in a group and each cluster that it reaches, and its own settings.
func KeysOf(svc *contract.Service) []Key {
	var all []Key
	for _, k := range Keys() {
		if k.entry != template && k.cluster != aliasTemplate {
			all = append(all, k)
		}
	}
	for _, alias := range svc.Clusters() {
		if alias != contract.DefaultAlias {
			all = append(all, clusterKeys(alias)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(svc.Consumes)) {
		for _, k := range consumption {
			if svc.Consumes[name].Grouped() {
				all = append(all, k.forEntry(name))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(svc.Config)) {
		all = append(all, settingKey(svc.Config[name]))
	}
	slices.SortStableFunc(all, func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// described fills what follows from the kind.
func (k Key) described() Key {
	k.Type, k.Bounds = k.kind.name, k.kind.bounds
	return k
}

// settingKey is a setting of the service's own as a key.
func settingKey(s *contract.Setting) Key {
	k := Key{
		Name: s.Name, Default: s.Default, Live: s.Live, Secret: s.Secret, Required: s.Required, Doc: s.Doc,
		Variables: []string{prefix + variable(s.Name)}, path: strings.Split(s.Name, "."), kind: settingKind(s), own: true,
	}
	if s.Env != "" {
		k.Variables = append(k.Variables, s.Env)
	}
	return k.described()
}

func settingKind(s *contract.Setting) *kind {
	var k *kind
	switch s.Type {
	case contract.IntegerSetting:
		k = bounded(s, integer, math.MinInt64, math.MaxInt64)
	case contract.NumberSetting:
		k = bounded(s, number, -math.MaxFloat64, math.MaxFloat64)
	case contract.DurationSetting:
		k = bounded(s, duration, 0, contract.MaxDuration)
	case contract.BytesSetting:
		k = bounded(s, size, 0, math.MaxInt64)
	case contract.BooleanSetting:
		return boolean()
	case contract.ListSetting:
		return list(s.Values...)
	default:
		if s.Values != nil {
			return words(s.Values...)
		}
		return text()
	}
	return among(k, s.Values)
}

// bounded is a kind with the bounds that a setting has, as far as it has them.
func bounded[T any](s *contract.Setting, of func(least, most T) *kind, least, most T) *kind {
	whole := of(least, most)
	k := of(bound(s.Min, least, whole), bound(s.Max, most, whole))
	switch {
	case s.Min == "" && s.Max == "":
		k.bounds = ""
	case s.Max == "":
		k.bounds = "at least " + s.Min
	case s.Min == "":
		k.bounds = "at most " + s.Max
	}
	return k
}

// bound reads a setting's bound; one that the contract has wrong is none, and
// has been told.
func bound[T any](text string, otherwise T, k *kind) T {
	if v, err := k.parse(text); text != "" && err == nil {
		return v.(T)
	}
	return otherwise
}

// among narrows a kind to a few values.
func among(k *kind, values []string) *kind {
	if values == nil {
		return k
	}
	narrow := *k
	narrow.bounds = strings.Join(values, " | ")
	narrow.parse = func(s string) (any, error) {
		v, err := k.parse(s)
		if err == nil && !slices.Contains(values, k.format(v)) {
			err = &refusal{"is not one of " + strings.Join(values, ", "), "write one of " + strings.Join(values, ", ")}
		}
		return v, err
	}
	return &narrow
}
