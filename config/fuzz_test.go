package config_test

import (
	"strings"
	"testing"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// FuzzFile reads anything as a file: it is refused with codes and places in
// that file, or yields values that are all in their table.
func FuzzFile(f *testing.F) {
	svc, _ := parsed(f, shop).In("prod")
	for _, text := range []string{
		"", "log: {level: debug}", "log:\n  level: debug\nkafka:\n  consumer:\n    rate: 2k/s\n", "consumes: {orders.paid.v1: {held: [a, \"1\"]}}",
		"kafka.consumer.rate: 1/s", "pay: {key: &a *a}", "- a", "a: b: c", "---\n---\n", "log: ~", "pay: {largest: 1e3, window: 1.5h, currencies: []}", "? [a]\n: b", "{", "log: {level: |\n debug}",
		"pay: {retry-limit: 0x4}", "fraud: {threshold: .inf}", "consumes: {orders.paid.v1.rate: 1/s}", "%YAML 1.2\n---\nlog: {}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := config.New(config.Config{Contract: svc, Environ: []string{"ENVIRONMENT=prod", "PAY_KEY=canary-of-the-fuzz"}, Files: files("prod.yaml", text)})
		if err != nil {
			t.Fatal(err)
		}
		v, err := l.Load(t.Context())
		list := diag.Of(err)
		if err != nil && len(list) == 0 {
			t.Fatalf("refused without a code: %v", err)
		}
		for _, d := range list {
			if d.Position.File != "config/prod.yaml" && !strings.Contains(d.Message, "retry.") || d.Message == "" || d.Remedy() == "" {
				t.Errorf("told without place or fix: %+v", d)
			}
		}
		if err != nil {
			return
		}
		for _, one := range v.All() {
			k, known := v.Key(one.Key)
			if !known || strings.Contains(one.Text, "canary-of-the-fuzz") {
				t.Errorf("%+v is in no table, or shows a secret", one)
			}
			if one.Layer == config.LayerFile && k.Type == "" {
				t.Errorf("%s has no type", one.Key)
			}
		}
	})
}
