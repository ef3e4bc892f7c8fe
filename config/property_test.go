package config_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/config"
)

// places are where a key can be given, the highest first.
var places = []string{"set", "flag", "prefixed", "bare", "vault", "consul", "mount env", "mount common", "env", "common"}

// TestAKeyHasTheValueOfTheHighestLayerThatGivesIt gives three keys, two of one
// mapping, in any places, and lets each place give its own name as the value:
// merging is deep, and what one place does not give the next one does.
func TestAKeyHasTheValueOfTheHighestLayerThatGivesIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	svc := parsed(t, "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: a, owner: b}\nconfig:\n"+
		"  x.one: {default: contract, env: X_ONE}\n  x.two: {default: contract, env: X_TWO}\n  y: {default: contract, env: Y}\n")
	variables := map[string]string{"x.one": "X_ONE", "x.two": "X_TWO", "y": "Y"}
	rapid.Check(t, func(rt *rapid.T) {
		gives := map[string][]string{} // keys by place
		want := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(variables)) {
			want[key] = "contract"
			for _, place := range slices.Backward(places) {
				if rapid.Bool().Draw(rt, key+" in "+place) {
					gives[place] = append(gives[place], key)
					want[key] = place
				}
			}
		}
		values := func(place string) map[string]string {
			all := map[string]string{}
			for _, key := range gives[place] {
				all[key] = place
			}
			return all
		}
		source := func(name string) *static {
			s := &static{name: name}
			for key, text := range values(name) {
				s.given = append(s.given, config.Given{Key: key, Text: text})
			}
			return s
		}
		cfg := config.Config{
			Contract: svc, Dir: dir, Set: values("set"), Flags: values("flag"),
			Sources: []config.Source{source("vault"), source("consul")},
			Files:   files("prod.yaml", document(values("env")), "common.yaml", document(values("common"))),
		}
		write(t, dir+"/prod.yaml", document(values("mount env")))
		write(t, dir+"/common.yaml", document(values("mount common")))
		for _, key := range gives["prefixed"] {
			cfg.Environ = append(cfg.Environ, "SLIPWAY_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))+"=prefixed")
		}
		for _, key := range gives["bare"] {
			cfg.Environ = append(cfg.Environ, variables[key]+"=bare")
		}
		v := load(t, cfg)
		for key, text := range want {
			if got := v.Text(key); got != text {
				rt.Errorf("%s is %s, want %s; given: %v", key, got, text, gives)
			}
			if got := v.Has(key); got != (text != "contract") {
				rt.Errorf("Has(%s) = %v of %s", key, got, text)
			}
		}
	})
}

// document writes values as a file, those of one mapping together.
func document(values map[string]string) string {
	var b strings.Builder
	inner := ""
	for _, key := range slices.Sorted(maps.Keys(values)) {
		outer, last, nested := strings.Cut(key, ".")
		switch {
		case !nested:
			fmt.Fprintf(&b, "%s: %s\n", key, values[key])
		case outer != inner:
			fmt.Fprintf(&b, "%s:\n", outer)
			inner = outer
			fallthrough
		default:
			fmt.Fprintf(&b, "  %s: %s\n", last, values[key])
		}
	}
	return b.String()
}
