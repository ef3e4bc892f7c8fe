package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// A layer is all that one place gives.
type layer struct {
	name   Layer
	origin string // what messages begin with: variable, flag, source vault; empty for files
	given  []Given
}

// A merge lays layers over each other and collects what is wrong with any.
type merge struct {
	keys map[string]Key
	won  map[string]cell
	list diag.List
}

// lay adds a layer below those before it: what they give stays. Every value is
// judged, also those that do not count.
func (m *merge) lay(l layer) {
	seen := make(map[string]bool, len(l.given))
	for _, g := range l.given {
		k, known := m.keys[g.Key]
		if !known {
			m.list.Add(unknownKey(m.keys, g.Key, l.origin).At(g.At))
			continue
		}
		if seen[g.Key] {
			m.list.Add(diag.New(diag.ConfigGivenTwice, "%s gives %s twice", l.origin, g.Key).At(g.At))
			continue
		}
		seen[g.Key] = true
		if k.Secret && l.name == LayerFlag {
			m.list.Add(diag.New(diag.ConfigValue, "%s: its value is a secret, which others can read on a command line", l.origin).
				WithFix("set %s, or let another source give it", k.Variables[0]))
			continue
		}
		value, err := k.read(g)
		if err != nil {
			m.list.Add(k.refused(g, l.origin, err))
			continue
		}
		if _, higher := m.won[g.Key]; !higher {
			m.won[g.Key] = cell{value, k.kind.format(value), l.name, where(l, g)}
		}
	}
}

// read turns what is given into a value.
func (k Key) read(g Given) (any, error) {
	if k.kind.list && g.Items != nil {
		return append([]string{}, g.Items...), amongAll(g.Items, k.kind.only)
	}
	if g.Items != nil {
		return nil, &refusal{"is a list", "write one value"}
	}
	return k.kind.parse(g.Text)
}

// refused reports a value that its key does not take, without quoting one that
// is secret.
func (k Key) refused(g Given, origin string, err error) diag.Diagnostic {
	code, subject, cause, fix := diag.ConfigValue, masked(g.Text), err.Error(), ""
	if r, ok := errors.AsType[*refusal](err); ok {
		fix = r.fix
	}
	if k.Secret || g.Items != nil || subject == "" || len(subject) > 80 {
		subject = "the value"
	}
	if k.Secret {
		cause, fix = "is not a "+k.takes(), "write a value of that kind"
	}
	message := fmt.Sprintf("%s: %s %s", k.Name, subject, cause)
	if origin != "" {
		message = origin + ": " + message
	}
	d := diag.New(code, "%s", message).At(g.At)
	d.Fix = fix
	return d
}

// takes is the kind of value with its bounds.
func (k Key) takes() string {
	if k.Bounds == "" {
		return k.Type
	}
	return k.Type + ", " + k.Bounds
}

// where is the provenance of a value.
func where(l layer, g Given) string {
	switch {
	case l.origin == "":
		return g.At.String()
	case g.At.IsZero():
		return l.origin
	case l.name == LayerSource && strings.HasPrefix(g.At.File, strings.TrimPrefix(l.origin, "source ")):
		return "source " + g.At.String() // a directory's files have its name in theirs
	default:
		return l.origin + " " + g.At.String()
	}
}

// unknownKey reports a key that is not in the table.
func unknownKey(keys map[string]Key, name, origin string) diag.Diagnostic {
	message := fmt.Sprintf("there is no key %.100s", name)
	if origin != "" {
		message = origin + ": " + message
	}
	d := diag.New(diag.ConfigUnknownKey, "%s", message)
	known := make([]string, 0, len(keys))
	for k := range keys {
		known = append(known, k)
	}
	if near := closest(name, known); near != "" {
		d = d.WithFix("did you mean %s?", near)
	}
	return d
}

// resolve makes the values: what won, else what the contract says, else the
// default.
func resolve(svc *contract.Service, keys []Key, won map[string]cell) *Values {
	v := &Values{keys: keys, cells: make([]cell, len(keys))}
	for i, k := range keys {
		if c, given := won[k.Name]; given {
			v.cells[i] = c
		} else if c, given := won[k.whole]; given {
			v.cells[i] = c
		} else {
			v.cells[i] = k.initial(svc, won)
		}
		if c := v.cells[i]; k.Required && c.layer == LayerDefault {
			d := diag.New(diag.ConfigRequired, "%s has no value", k.Name).At(svc.Position("config", k.Name)).
				WithFix("set %s, or write %s into config/<environment>.yaml", k.Variables[0], nested(k.path))
			if k.Secret {
				d = d.WithFix("set %s, or let another source give it; a file in the repository is no place for a secret", k.Variables[0])
			}
			v.missing.Add(d)
		}
	}
	v.sum()
	return v
}

// initial is the value of a key that no layer above the contract gives.
func (k Key) initial(svc *contract.Service, won map[string]cell) cell {
	text, element := k.Default, []string(nil)
	switch {
	case k.of != nil:
		element = []string{entries, k.entry, k.part}
		if said := k.of(svc.Consumes[k.entry]); said != "" {
			text = said
		} else if k.idle(svc.Consumes[k.entry], won) {
			value, _ := k.kind.parse(k.Default)
			return cell{value: value, layer: LayerDefault, where: string(LayerDefault)}
		}
	case svc.Config[k.Name] != nil && !k.Required:
		element = []string{"config", k.Name, "default"}
	}
	c := cell{value: k.kind.none, layer: LayerDefault, where: string(LayerDefault)}
	if value, err := k.kind.parse(text); err == nil {
		c.value, c.text = value, k.kind.format(value)
	}
	if element != nil && svc.Written(element...) {
		c.layer, c.where = LayerContract, "contract "+svc.Position(element...).String()
	}
	return c
}

// idle reports whether a key belongs to a breaker or a backoff that the entry
// does not have.
func (k Key) idle(c *contract.Consume, won map[string]cell) bool {
	name := strings.TrimPrefix(k.Name, entries+"."+k.entry+".")
	block, _, within := strings.Cut(name, ".")
	if !within || block == "breaker" && c.Breaker != nil || block == "retry" && c.Retry.Backoff != nil {
		return false
	}
	for given := range won {
		if strings.HasPrefix(given, entries+"."+k.entry+"."+block+".") || strings.HasPrefix(given, allEntries+"."+block+".") {
			return false
		}
	}
	return true
}
