package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
)

// canaries are texts that must show up nowhere: each breaks another rule of
// YAML, of a type or of a URL.
var canaries = []string{
	"canary", "*canary", "&canary", "!canary", "!!canary x", "@canary", "`canary", "%canary", "can: canary: y", "[canary", "{canary: 1", "'canary", `"canary`,
	"- canary", "? canary", "| canary", "canary\x01", "5canary", "canary/with@sign", "${canary}",
}

const vault = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: vault, owner: team-a}
config:
  a.text: {secret: true}
  a.number: {type: number, secret: true}
  a.whole: {type: integer, secret: true, max: 10}
  a.time: {type: duration, secret: true}
  a.size: {type: bytes, secret: true}
  a.flag: {type: boolean, secret: true}
  a.list: {type: list, secret: true, values: [x]}
  a.word: {values: [x, y], secret: true}
`

func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	svc, _ := parsed(t, vault).In("prod")
	try := canaries
	if testing.Short() {
		try = canaries[:5]
	}
	var tried, failed int
	judge := func(how, canary string, cfg config.Config) {
		tried++
		cfg.Contract = svc
		l := loader(t, cfg)
		v, missing, err := l.Preview(t.Context())
		shown := rendered(t, v, l, err, missing)
		if err != nil {
			failed++
			shown += fmt.Sprint(err) + diag.Of(err).Text()
		}
		if i := strings.Index(shown, "canary"); i >= 0 {
			t.Errorf("%s, %q: it is shown in …%s", how, canary, shown[max(0, i-60):min(len(shown), i+60)])
		}
	}
	for _, canary := range try {
		for _, key := range []string{"text", "number", "whole", "time", "size", "flag", "list", "word"} {
			judge("variable", canary, config.Config{Environ: []string{"SLIPWAY_A_" + strings.ToUpper(key) + "=" + canary}})
			judge("set", canary, config.Config{Set: map[string]string{"a." + key: canary}})
			judge("flag", canary, config.Config{Flags: map[string]string{"a." + key: canary}})
			judge("source", canary, config.Config{Sources: []config.Source{&static{name: "s", given: []config.Given{{Key: "a." + key, Text: canary}}}}})
			judge("list of a source", canary, config.Config{Sources: []config.Source{&static{name: "s", given: []config.Given{{Key: "a." + key, Items: []string{canary}}}}}})
			for _, form := range []string{"a: {%s: %s}", "a:\n  %s: %s\n", "a:\n  %s: \"%s\"\n", "a:\n  %s: [%s]\n", "a:\n  %s:\n    x: %s\n", "a:\n  %s: &x %s\n", "a:\n  %s: |\n    %s\n"} {
				judge("file", canary, config.Config{Files: files("prod.yaml", fmt.Sprintf(form, key, canary))})
			}
		}
		judge("both variables", canary, config.Config{Environ: []string{"DATABASE_URL=" + canary, "SLIPWAY_DATABASE_URL=x" + canary}})
		judge("unknown variable", canary, config.Config{Environ: []string{"SLIPWAY_DATABSE_URL=" + canary}})
		judge("URL", canary, config.Config{Environ: []string{"SCHEMA_REGISTRY_URL=https://user:" + canary + "@host"}})
		judge("failing source", canary, config.Config{Sources: []config.Source{&static{name: "s", err: errors.New("get https://user:" + canary + "@host: refused")}}})
	}
	if tried < len(try)*8*12 || failed < tried/3 {
		t.Errorf("%d configurations were tried and %d refused", tried, failed)
	}
}

// rendered is all that can be seen of values and of their loader.
func rendered(t *testing.T, v *config.Values, l *config.Loader, err error, missing diag.List) string {
	t.Helper()
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, nil))
	log.Info("x", "values", v, "loader", l, "error", err)
	fmt.Fprintf(&b, "%v %+v %#v %s %v %+v %#v %v", v, v, v, v, l, l, l, missing)
	if v == nil {
		return b.String()
	}
	asJSON, err := json.Marshal([]any{v, v.All(), v.Warnings(), struct{ V *config.Values }{v}})
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal([]any{v.All(), v.Warnings()})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(asJSON)
	b.Write(asYAML)
	fmt.Fprint(&b, v.All(), v.Diff(&config.Values{}), (&config.Values{}).Diff(v), v.Warnings())
	return b.String()
}

func TestWhatASourceGivesPrintsWithoutItsValue(t *testing.T) {
	t.Parallel()
	g := config.Given{Key: "pay.key", Text: "canary", Items: []string{"canary"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, []config.Given{g}); strings.Contains(got, "canary") || !strings.Contains(got, "pay.key") {
			t.Errorf("%s is %s", verb, got)
		}
	}
}

func TestASecretInTheContractIsRefused(t *testing.T) {
	t.Parallel()
	_, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte(strings.Replace(vault, "a.text: {secret: true}", "a.text: {secret: true, default: canary}", 1))}}, "slipway.yaml")
	if len(list) != 1 || list[0].Code != diag.ConfigSecretDefault || strings.Contains(list.Text(), "canary") {
		t.Errorf("got %v", list)
	}
}

func TestACommandLineIsNoPlaceForASecret(t *testing.T) {
	t.Parallel()
	svc, _ := parsed(t, vault).In("prod")
	_, err := loader(t, config.Config{Contract: svc, Flags: map[string]string{"a.text": "canary", "database.url": "postgres://canary@db"}}).Load(t.Context())
	list := diag.Of(err)
	if len(list) != 2 || list[0].Code != diag.ConfigValue || strings.Contains(list.Text(), "canary") {
		t.Errorf("two secrets of a command line are answered with:\n%s", list.Text())
	}
}

func TestASecretInAFileOfTheProgramIsWarnedOf(t *testing.T) {
	t.Parallel()
	svc, _ := parsed(t, vault).In("prod")
	for text, want := range map[string]int{
		"database: {url: \"postgres://me:canary@db/x\"}": 1,
		"database: {url: \"postgres://db/x\"}":           0, // an address alone is no secret
		"a: {text: canary}":                              1,
	} {
		file := fstest.MapFS{"config/prod.yaml": {Data: []byte(text)}}
		v, _, err := loader(t, config.Config{Contract: svc, Files: file}).Preview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list := v.Warnings()
		if len(list) != want || want == 1 && list[0].Code != diag.ConfigSecretInFile || strings.Contains(list.Text(), "canary") {
			t.Errorf("%s: %d warnings, want %d:\n%s", text, len(list), want, list.Text())
		}
	}
}
