package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// Values are what a service is configured with at one moment. They are never
// changed once made and are safe for concurrent use. Printed, logged or
// encoded they show their hash and nothing else.
//
// The typed methods panic if there is no such key, or if it is of another type:
// a program asks for what its contract declares, and [Values.Key] tells.
type Values struct {
	keys     []Key // sorted
	cells    []cell
	warnings diag.List
	missing  diag.List // what is required and has no value
	hash     string
}

// A cell is the value of one key and where it is from.
type cell struct {
	value any
	text  string
	layer Layer
	where string
}

// A Layer is where a value can come from.
type Layer string

// The layers, highest first.
const (
	LayerSet      Layer = "set"
	LayerFlag     Layer = "flag"
	LayerVariable Layer = "variable"
	LayerSource   Layer = "source"
	LayerFile     Layer = "file"
	LayerContract Layer = "contract"
	LayerDefault  Layer = "default"
)

// find is the index of a key, -1 for none.
func (v *Values) find(name string) int {
	i, found := slices.BinarySearchFunc(v.keys, name, func(k Key, name string) int { return strings.Compare(k.Name, name) })
	if !found {
		return -1
	}
	return i
}

func (v *Values) cell(name string) cell {
	i := v.find(name)
	if i < 0 {
		panic("config: there is no key " + name)
	}
	return v.cells[i]
}

// typed is the value of a key as a T.
func typed[T any](v *Values, name string) T {
	c := v.cell(name)
	value, ok := c.value.(T)
	if !ok {
		panic(fmt.Sprintf("config: %s is a %T, not a %T", name, c.value, value))
	}
	return value
}

// Text is the value as it would be written; of a list, its items joined by
// commas. It is empty for what is not in effect: the breaker of an entry that
// has none.
func (v *Values) Text(key string) string { return v.cell(key).text }

// Int is the value of an integer.
func (v *Values) Int(key string) int64 { return typed[int64](v, key) }

// Float is the value of a number, or of a rate in records a second.
func (v *Values) Float(key string) float64 { return typed[float64](v, key) }

// Bool is the value of a boolean.
func (v *Values) Bool(key string) bool { return typed[bool](v, key) }

// Duration is the value of a duration.
func (v *Values) Duration(key string) time.Duration { return typed[time.Duration](v, key) }

// Bytes is the value of a size.
func (v *Values) Bytes(key string) contract.Bytes { return typed[contract.Bytes](v, key) }

// List is the value of a list. The caller owns it.
func (v *Values) List(key string) []string { return slices.Clone(typed[[]string](v, key)) }

// Has reports whether a layer above the contract gives the value: by the key
// itself or, for one of an entry, by the one for all entries.
func (v *Values) Has(key string) bool {
	c := v.cell(key)
	return c.layer != LayerContract && c.layer != LayerDefault
}

// Key returns the line of the table for a key.
func (v *Values) Key(name string) (Key, bool) {
	i := v.find(name)
	if i < 0 {
		return Key{}, false
	}
	return v.keys[i], true
}

// Hash identifies all values but secret ones: instances with the same hash are
// configured alike. It says nothing about secrets, so that nobody can try
// guesses against it.
func (v *Values) Hash() string { return v.hash }

// Warnings are what was seen while loading that works and is likely not meant.
func (v *Values) Warnings() diag.List { return slices.Clone(v.warnings) }

// A Value is one value for people to see.
type Value struct {
	Key     string `json:"key" yaml:"key"`
	Text    string `json:"value" yaml:"value"` // *** if it is secret
	Layer   Layer  `json:"layer" yaml:"layer"`
	Source  string `json:"source" yaml:"source"` // config/prod.yaml:7:3, variable LOG_LEVEL
	Default bool   `json:"default" yaml:"default"`
	Live    bool   `json:"live" yaml:"live"`
}

// All is every value, sorted by key.
func (v *Values) All() []Value {
	all := make([]Value, len(v.keys))
	for i, k := range v.keys {
		c := v.cells[i]
		all[i] = Value{k.Name, k.shown(c.text), c.layer, c.where, c.layer == LayerDefault, k.Live}
	}
	return all
}

// A Change is one value that differs between two configurations.
type Change struct {
	Key  string `json:"key" yaml:"key"`
	Old  string `json:"old" yaml:"old"` // *** if it is secret
	New  string `json:"new" yaml:"new"`
	Live bool   `json:"live" yaml:"live"`
}

// Diff is what changes from v to next, sorted by key. The values count, not
// where they are from.
func (v *Values) Diff(next *Values) []Change {
	var all []Change
	for i, k := range v.keys {
		old, now := v.cells[i], cell{}
		if at := next.find(k.Name); at >= 0 {
			now = next.cells[at]
		}
		if old.text != now.text || !reflect.DeepEqual(old.value, now.value) {
			all = append(all, Change{k.Name, k.shown(old.text), k.shown(now.text), k.Live})
		}
	}
	for i, k := range next.keys {
		if v.find(k.Name) < 0 {
			all = append(all, Change{k.Name, "", k.shown(next.cells[i].text), k.Live})
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// sum computes the hash.
func (v *Values) sum() {
	h := sha256.New()
	for i, k := range v.keys {
		fmt.Fprintf(h, "%d %s %q\n", i, k.Name, k.shown(v.cells[i].text))
	}
	v.hash = hex.EncodeToString(h.Sum(nil))
}

// Format writes the hash for every verb.
func (v *Values) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }

// String names the values without showing them.
func (v *Values) String() string {
	if v == nil {
		return "no configuration"
	}
	return "configuration " + v.hash
}

// LogValue is what slog shows.
func (v *Values) LogValue() slog.Value { return slog.StringValue(v.String()) }
