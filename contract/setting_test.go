package contract_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
)

func TestSettingsAreReadWithTheEnvironmentsDefaults(t *testing.T) {
	t.Parallel()
	s, list := contract.Parse(fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: payments, owner: team-money}
config:
  pay.currencies: {type: list, default: [eur, usd], values: [eur, usd, gbp], live: true}
  pay.key: {secret: true, env: PAY_KEY}
  pay.window: {type: duration, default: 5m, max: 1h, doc: How long a payment may take.}
environments:
  prod: {config: {pay.window: {default: 10m}, pay.currencies: {default: null}}}
`)}}, "slipway.yaml")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	prod, list := s.In("prod")
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	currencies := contract.Setting{Name: "pay.currencies", Type: contract.ListSetting, Default: "eur,usd", Values: []string{"eur", "usd", "gbp"}, Live: true}
	key := contract.Setting{Name: "pay.key", Type: contract.StringSetting, Env: "PAY_KEY", Secret: true, Required: true}
	window := contract.Setting{Name: "pay.window", Type: contract.DurationSetting, Default: "5m", Max: "1h", Doc: "How long a payment may take."}
	if diff := cmp.Diff(map[string]*contract.Setting{"pay.currencies": &currencies, "pay.key": &key, "pay.window": &window}, s.Config); diff != "" {
		t.Errorf("as written: -want +got\n%s", diff)
	}
	window.Default = "10m"
	currencies.Default, currencies.Required = "", true // null takes a default away
	if diff := cmp.Diff(map[string]*contract.Setting{"pay.currencies": &currencies, "pay.key": &key, "pay.window": &window}, prod.Config); diff != "" {
		t.Errorf("in prod: -want +got\n%s", diff)
	}
	if !prod.Written("config", "pay.window", "default") || prod.Written("config", "pay.window", "min") {
		t.Error("Written does not tell what the contract states")
	}
}

func TestATreeQuotesNoValue(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an anchor": "a: &canary b", "an alias": "a: *canary", "a tag": "a: !canary b", "a second one": "a: b\n---\ncanary: 1", "text": "canary",
	} {
		tree, list := contract.ParseTree("config/prod.yaml", []byte(text))
		for _, d := range list {
			if d.Message == "" || strings.Contains(d.Message+d.Remedy(), "canary") {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if !list.Failed() {
			t.Errorf("%s is taken: %+v", name, tree)
		}
	}
}

func TestATreeTellsWhatItsValuesAre(t *testing.T) {
	t.Parallel()
	tree, list := contract.ParseTree("f.yaml", []byte("a: yes\nb: true\nc: 1\nd: 1.5\ne: [x]\nf: {g: \"1\"}\nh:\n"))
	if len(list) > 0 {
		t.Fatal(list)
	}
	var got []contract.TreeKind
	for _, child := range tree.Children {
		got = append(got, child.Kind)
	}
	want := []contract.TreeKind{contract.TreeText, contract.TreeBoolean, contract.TreeInteger, contract.TreeDecimal, contract.TreeList, contract.TreeMapping, contract.TreeNothing}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if g := tree.Children[5].Children[0]; g.Key != "g" || g.Kind != contract.TreeText || g.KeyAt.String() != "f.yaml:6:5" || g.At.String() != "f.yaml:6:8" {
		t.Errorf("f.g is %+v", g)
	}
}
