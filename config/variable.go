package config

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// environ is the environment by name. Empty variables and space around values
// do not count.
func environ(list []string) map[string]string {
	all := make(map[string]string, len(list))
	for _, pair := range list {
		name, value, _ := strings.Cut(pair, "=")
		if value = strings.TrimSpace(value); value == "" {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	return all
}

// variables are one layer for each variable that gives a value, so that
// messages and provenance can name it; of two that differ the one with the
// prefix comes first, and that is told.
func variables(keys []Key, env map[string]string) (layers []layer, warnings diag.List) {
	known := map[string]bool{}
	for _, k := range keys {
		var first string
		for _, name := range k.Variables {
			known[name] = true
			value, set := env[name]
			switch {
			case !set:
				continue
			case first == "":
				first = name
			case env[first] != value:
				warnings.Add(diag.Warn(diag.ConfigVariableTwice, "%s and %s differ, and %s counts", first, name, first).WithFix("unset %s", name))
			}
			layers = append(layers, layer{LayerVariable, "variable " + name, []Given{{Key: k.Name, Text: k.plain(value)}}})
		}
	}
	return layers, append(warnings, strangers(known, env)...)
}

// plain takes the form that Go writes times in (4.5s, 1m0s) for one in the
// contract's units: a variable may come from a program.
func (k Key) plain(value string) string {
	if k.kind.name != "duration" {
		return value
	}
	if _, err := contract.ParseDuration(value); err == nil {
		return value
	}
	if d, err := time.ParseDuration(value); err == nil && d > 0 && d%time.Millisecond == 0 {
		return contract.FormatDuration(d)
	}
	return value
}

// injected are the variables that Kubernetes puts into every pod of a namespace
// for a Service that is named slipway or slipway-something.
var injected = regexp.MustCompile(`^SLIPWAY_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// operators are the variables of the command line, which a shell may pass on.
var operators = []string{
	"SLIPWAY_TLS_CERT", "SLIPWAY_TLS_KEY", "SLIPWAY_SASL_USER", "SLIPWAY_SASL_PASSWORD_FILE", "SLIPWAY_SASL_MECHANISM",
	"SLIPWAY_REGISTRY_AUTH_FILE", "SLIPWAY_CONNECT_AUTH_FILE",
}

// strangers warns of variables that look like a key's and are none. It cannot
// be an error: others put variables into a pod too.
func strangers(known map[string]bool, env map[string]string) (warnings diag.List) {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for name := range env {
		if !strings.HasPrefix(name, prefix) || known[name] || injected.MatchString(name) || slices.Contains(operators, name) {
			continue
		}
		d := diag.Warn(diag.ConfigVariableUnknown, "%.100s is set and configures nothing", name)
		if near := contract.Nearest(name, names); near != "" {
			d = d.WithFix("did you mean %s?", near)
		}
		warnings.Add(d)
	}
	warnings.Sort()
	return warnings
}
