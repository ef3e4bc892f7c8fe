package observability_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/slipway-go/slipway/render/monitoring"
)

// An expression, and where it stands.
type expression struct{ at, text string }

// rules are the expressions of all rules of an estate.
func rules(t *testing.T, name string) []expression {
	t.Helper()
	in := input(t, name)
	r, err := in.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	groups := monitoring.EstateRules(in)
	for _, svc := range r.Services {
		groups = append(groups, monitoring.Rules(in, r, svc)...)
	}
	var all []expression
	for _, g := range groups {
		for _, rule := range g.Rules {
			all = append(all, expression{rule.Alert + rule.Record, rule.Expr})
		}
	}
	return all
}

// panels are the expressions of all dashboards of an estate.
func panels(t *testing.T, name string) []expression {
	t.Helper()
	files, err := monitoring.Grafana().Files(input(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var all []expression
	for _, f := range files {
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(f.Content, &board); err != nil {
			t.Fatal(err)
		}
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				all = append(all, expression{f.Path + ": " + p.Title, target.Expr})
			}
		}
	}
	return all
}

// metrics are the names of the series that an expression selects.
func metrics(t *testing.T, e expression) []string {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(e.text)
	if err != nil {
		t.Errorf("%s: %v\n%s", e.at, err, e.text)
		return nil
	}
	var names []string
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, v.Name)
		}
		return nil
	})
	return names
}

// A row of the reference of metrics.
type row struct{ kind, alerts string }

// reference reads the tables of docs/reference/metrics.md.
func reference(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "reference", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]row)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "¦"), "|")
		if len(cells) < 8 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		all[strings.Trim(cells[1], " `")] = row{strings.TrimSpace(cells[2]), cells[6]}
	}
	if len(all) < 50 {
		t.Fatalf("the reference has %d metrics", len(all))
	}
	return all
}

// base is the metric that a series is of: a histogram is several.
func base(series string, known map[string]row) string {
	for _, part := range []string{"_bucket", "_count", "_sum"} {
		if name, cut := strings.CutSuffix(series, part); cut && known[name].kind == "histogram" {
			return name
		}
	}
	return series
}

// Neither a rule nor a panel can be about a metric that nobody exports.
func TestEveryExpressionIsOfMetricsThatExist(t *testing.T) {
	t.Parallel()
	known := reference(t)
	for name := range estates {
		all := append(rules(t, name), panels(t, name)...)
		recorded := map[string]bool{"up": true, "ALERTS": true} // Prometheus's own
		for _, e := range all {
			recorded[e.at] = true
		}
		for _, e := range all {
			for _, series := range metrics(t, e) {
				if _, ok := known[base(series, known)]; !ok && !recorded[series] {
					t.Errorf("%s: %s selects %s, which docs/reference/metrics.md does not know", name, e.at, series)
				}
			}
		}
	}
}

// The column of alerts is what the rules say.
func TestTheReferenceNamesTheAlertsOfEachMetric(t *testing.T) {
	t.Parallel()
	known := reference(t)
	by := make(map[string][]string) // what a rule selects, by what it is called
	for name := range estates {
		for _, e := range rules(t, name) {
			by[e.at] = append(by[e.at], metrics(t, e)...)
		}
	}
	want := make(map[string][]string)
	for _, k := range monitoring.Kinds() {
		for _, series := range by[k.Alert()] {
			through := []string{series}
			if strings.HasPrefix(series, "slipway:") {
				through = by[series]
			}
			for _, s := range through {
				if metric := base(s, known); metric != "up" && !slices.Contains(want[metric], k.Slug) {
					want[metric] = append(want[metric], k.Slug)
				}
			}
		}
	}
	got := make(map[string][]string)
	link := regexp.MustCompile(`\[([a-z-]+)\]\(\.\./runbooks/([a-z-]+)\.md\)`)
	for metric, r := range known {
		for _, m := range link.FindAllStringSubmatch(r.alerts, -1) {
			if m[1] != m[2] {
				t.Errorf("%s: the link %s leads to %s", metric, m[1], m[2])
			}
			got[metric] = append(got[metric], m[2])
		}
	}
	for _, all := range []map[string][]string{want, got} {
		for metric := range maps.Keys(all) {
			slices.Sort(all[metric])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/reference/metrics.md (-rules +page):\n%s", diff)
	}
}
