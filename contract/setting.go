package contract

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// A Setting is one of the service's own settings: what the contract declares
// below config, and package config finds a value for.
type Setting struct {
	Name    string // dotted, lower case: payment.retry-limit
	Type    SettingType
	Default string   // as it is written; of a list, its items joined by commas
	Min     string   // empty means no bound
	Max     string   // empty means no bound
	Values  []string // what the value, or every item of it, may be; nil means anything
	Env     string   // a variable that gives the value beside the one with SLIPWAY_
	Live    bool     // it changes in a running service
	Secret  bool     // its value is shown nowhere
	Doc     string

	// Required means that there is no default: the service does not start
	// before something gives a value.
	Required bool
}

// A SettingType says what a setting's value is.
type SettingType string

// The types. StringSetting is the default.
const (
	StringSetting   SettingType = "string"
	IntegerSetting  SettingType = "integer"
	NumberSetting   SettingType = "number"
	BooleanSetting  SettingType = "boolean"
	DurationSetting SettingType = "duration"
	BytesSetting    SettingType = "bytes"
	ListSetting     SettingType = "list"
)

// Written reports whether the contract states an element, given as for
// [Service.Position], rather than leaving it to its default.
func (s *Service) Written(element ...string) bool { return s.source.written(element...) }

var (
	configNames = rule("setting", `^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`, 100,
		"use lower-case words and numbers with . or - between them, such as payment.retry-limit, at most 100 characters")
	variableNames = matching("name of a variable", `^[A-Z][A-Z0-9_]*$`, 100, "use upper-case letters, digits and _")
)

var settingType = object(
	at("type", oneOf(StringSetting, IntegerSetting, NumberSetting, BooleanSetting, DurationSetting, BytesSetting, ListSetting), func(s *Setting) *SettingType { return &s.Type },
		"What the value is. A list is one of text.", def("string"), fixed),
	at("default", anyValue(), func(s *Setting) *string { return &s.Default }, "The value where nothing else gives one. Absent means that the service does not start before something does."),
	at("min", anyScalar(), func(s *Setting) *string { return &s.Min }, "The least value, of the type; for integer, number, duration and bytes.", fixed),
	at("max", anyScalar(), func(s *Setting) *string { return &s.Max }, "The greatest value.", fixed),
	at("values", listOf(anyScalar()), func(s *Setting) *[]string { return &s.Values }, "What the value may be, or of a list every item; for string, integer and list.", fixed),
	at("env", variableNames, func(s *Setting) *string { return &s.Env }, "A variable that gives the value, beside the one that begins with SLIPWAY_.", fixed),
	at("live", boolean(), func(s *Setting) *bool { return &s.Live }, "Whether a change reaches the running service. Else the next start takes it up.", def("false"), fixed),
	at("secret", boolean(), func(s *Setting) *bool { return &s.Secret }, "Whether the value is shown nowhere. A secret has no default.", def("false"), fixed),
	at("doc", text(1000), func(s *Setting) *string { return &s.Doc }, "What the setting is for, in a sentence.", fixed),
)

// anyScalar is a value of one word, whose type another key says.
func anyScalar() typ[string] {
	s := &shape{name: "text | number | true | false", schema: map[string]any{"type": []string{"string", "number", "boolean"}}}
	return scalarOf(s, func(text string) (string, error) { return text, nil }, textScalar, integerScalar, floatScalar, boolScalar)
}

// anyValue is such a value, or a list of text, which is read with commas.
func anyValue() typ[string] {
	one, many := anyScalar(), listOf(matching("text without commas", `^[^,\r\n]*$`, 1000, "remove the comma: variables divide lists by it"))
	s := &shape{name: one.shape.name + " | list", schema: map[string]any{"anyOf": []any{one.shape.schema, many.shape.jsonSchema(false)}}}
	return typ[string]{&kind{shape: s, read: func(d *decoder, n *node, into any) {
		if n.kind != listNode {
			one.read(d, n, into)
			return
		}
		var items []string
		many.read(d, n, &items)
		*into.(*string) = strings.Join(items, ",")
	}}}
}

// setting judges what the keys of a setting say of each other.
func (f *faults) setting(s *Setting) {
	element := "config/" + s.Name
	if s.Secret && !s.Required {
		f.add(diag.ConfigSecretDefault, element+"/default", "", "%s is secret and has a default, which everybody can read here", s.Name)
		return
	}
	if strings.HasPrefix(s.Env, "SLIPWAY_") {
		f.add(diag.ConfigSetting, element+"/env", "remove it, or name a variable without SLIPWAY_", "%s begins with SLIPWAY_, which every setting's own variable does", s.Env)
	}
	if (s.Min != "" || s.Max != "") && !slices.Contains([]SettingType{IntegerSetting, NumberSetting, DurationSetting, BytesSetting}, s.Type) {
		f.add(diag.ConfigSetting, element, "remove min and max", "type: %s has no bounds", s.Type)
		return
	}
	if s.Values != nil && !slices.Contains([]SettingType{StringSetting, IntegerSetting, ListSetting}, s.Type) {
		f.add(diag.ConfigSetting, element+"/values", "remove it; bound the value with min and max", "type: %s has no list of values", s.Type)
		return
	}
	d := &decoder{file: f.service.source.file}
	f.settingValues(d, s, element)
	for _, fault := range d.list {
		fault.Code = diag.ConfigSetting // what one key says is wrong by what another one says
		f.list.Add(fault)
	}
}

// settingValues reads default, min, max and values as what the type says.
func (f *faults) settingValues(d *decoder, s *Setting, element string) {
	read := func(key string, check func(*decoder, *node)) {
		if f.service.source.tree == nil {
			return
		}
		if n, _, found := f.service.source.tree.find(steps([]string{element, key})); found {
			d.path = steps([]string{element, key})
			check(d, n)
		}
	}
	switch s.Type {
	case IntegerSetting:
		judge(read, integer(math.MinInt, math.MaxInt), s)
	case NumberSetting:
		judge(read, decimal(-math.MaxFloat64, math.MaxFloat64), s)
	case DurationSetting:
		judge(read, duration(0, MaxDuration), s)
	case BytesSetting:
		judge(read, bytesBetween(0, math.MaxInt64), s)
	case BooleanSetting:
		read("default", func(d *decoder, n *node) { boolean().read(d, n, new(bool)) })
	case ListSetting:
		read("default", func(d *decoder, n *node) {
			if n.kind != listNode {
				d.wrongType(n, "a list", "write a list, such as [a, b]")
			} else if s.Default != "" {
				d.among(n, s, strings.Split(s.Default, ",")...)
			}
		})
	default:
		read("default", func(d *decoder, n *node) {
			if n.scalar() != textScalar {
				d.wrongType(n, "text", "put it in quotes")
				return
			}
			d.among(n, s, s.Default)
		})
	}
}

// among reports words that are not among a setting's values.
func (d *decoder) among(n *node, s *Setting, words ...string) {
	for _, w := range words {
		if s.Values != nil && !slices.Contains(s.Values, w) {
			d.fault(n.at, diag.ContractValue, "write one of "+strings.Join(s.Values, ", "), "%s is not among values", quoteEmpty(w))
		}
	}
}

// judge reads bounds, values and the default of an ordered type, and reports
// what lies outside.
func judge[T int | float64 | Bytes | time.Duration](read func(string, func(*decoder, *node)), t typ[T], s *Setting) {
	least, most := new(T), new(T)
	bound := func(key string, into *T) (known bool) {
		read(key, func(d *decoder, n *node) {
			before := len(d.list)
			t.read(d, n, into)
			known = len(d.list) == before
		})
		return known
	}
	low, high := bound("min", least), bound("max", most)
	inside := func(d *decoder, n *node) {
		before := len(d.list)
		var v T
		switch t.read(d, n, &v); {
		case len(d.list) > before:
		case low && v < *least:
			d.fault(n.at, diag.ContractValue, "write a value in the bounds", "%s is below min, which is %s", n.text, s.Min)
		case high && v > *most:
			d.fault(n.at, diag.ContractValue, "write a value in the bounds", "%s is above max, which is %s", n.text, s.Max)
		}
	}
	if low && high && *least > *most {
		read("min", func(d *decoder, n *node) {
			d.fault(n.at, diag.ContractValue, "swap them", "min is %s and max is %s", s.Min, s.Max)
		})
		return
	}
	read("default", func(d *decoder, n *node) {
		inside(d, n)
		d.among(n, s, n.text)
	})
	read("values", func(d *decoder, n *node) {
		for _, item := range n.items {
			inside(d, item)
		}
	})
}
