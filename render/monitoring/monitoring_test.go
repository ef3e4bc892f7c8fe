package monitoring_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
	"github.com/slipway-go/slipway/render/monitoring"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// everything is an estate with all that an alert can be about.
func everything(t *testing.T) *contract.Estate {
	t.Helper()
	estate, problems := contract.Load(os.DirFS(filepath.Join("testdata", "everything")), ".")
	if problems = append(problems, estate.Validate()...); len(problems) > 0 {
		t.Fatal(problems)
	}
	return estate
}

// single is an estate of one service, of what a contract has below its metadata.
func single(t *testing.T, body string) *contract.Resolved {
	t.Helper()
	text := "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: team-goods}\n" + body
	estate, problems := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(text)}}, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	r, problems := estate.In("dev")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// slugs are the kinds of alerts that a service gets.
func slugs(groups []monitoring.Group) []string {
	var all []string
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r.Alert)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestAServiceGetsTheAlertsThatItCanRaise(t *testing.T) {
	t.Parallel()
	const reads = "consumes: {orders.v1: {%s}}\n"
	const writes = "topics: {stock.v1: {key: id}}\nproduces: {stock.v1: {%s}}\n"
	for name, tt := range map[string]struct {
		body      string
		has, lack []string
	}{
		"reads nothing": {
			fmt.Sprintf(writes, "via: direct"),
			[]string{"SlipwayServiceAbsent", "SlipwayClusterAway", "SlipwayACLDenied"},
			[]string{"SlipwayPartitionStuck", "SlipwayDeadLettersWritten", "SlipwayOutboxBehind", "SlipwaySagaStuck", "SlipwayRecordsDropped", "SlipwaySpillFills"},
		},
		"writes nothing": {
			fmt.Sprintf(reads, ""),
			[]string{"SlipwayPartitionStuck", "SlipwayDeadLettersWritten", "SlipwayKeysParked", "SlipwayBacklogUnattended"},
			[]string{"SlipwayClusterAway", "SlipwayLagAboveObjective", "SlipwaySuccessBudgetBurnsFast", "SlipwayBreakerOpen", "SlipwayInstancesMissing", "SlipwayRecordsLostToRetention"},
		},
		"reads a table": {fmt.Sprintf(reads, "as: table"), []string{"SlipwayServiceAbsent"}, []string{"SlipwayPartitionStuck", "SlipwayBacklogUnattended"}},
		"stops instead of dead letters": {
			fmt.Sprintf(reads, "retry: {delays: [1s], then: stop}"), []string{"SlipwayPartitionStuck"}, []string{"SlipwayDeadLettersWritten"},
		},
		"promises something": {
			fmt.Sprintf(reads, "") + "slo: {lag: 10, freshness: {p99: 3s}, success: 99%}\n",
			[]string{"SlipwayLagAboveObjective", "SlipwayFreshnessBudgetBurnsFast", "SlipwayFreshnessBudgetBurnsSlowly", "SlipwaySuccessBudgetBurnsFast", "SlipwaySuccessBudgetBurnsSlowly"}, nil,
		},
		"has an outbox": {fmt.Sprintf(writes, "via: outbox"), []string{"SlipwayOutboxBehind", "SlipwayOutboxStuck"}, []string{"SlipwaySagaStuck"}},
		"drops":         {fmt.Sprintf(writes, "via: direct, away: sample"), []string{"SlipwayRecordsDropped"}, []string{"SlipwaySpillFills"}},
		"spills":        {fmt.Sprintf(writes, "via: direct, away: spill"), []string{"SlipwaySpillFills", "SlipwaySpillRefuses"}, []string{"SlipwayRecordsDropped"}},
		"has a password": {
			fmt.Sprintf(reads, "") + "identity: {auth: scram-sha-512}\n",
			[]string{"SlipwayCredentialFormer", "SlipwayAuthorityEnds"}, []string{"SlipwayCertificateEnds"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := single(t, tt.body)
			got := slugs(monitoring.Rules(render.Input{}, r, r.Services[0]))
			for _, alert := range tt.has {
				if !slices.Contains(got, alert) {
					t.Errorf("it lacks %s", alert)
				}
			}
			for _, alert := range tt.lack {
				if slices.Contains(got, alert) {
					t.Errorf("it has %s, which it can never raise", alert)
				}
			}
		})
	}
}

func TestEveryAlertNamesTheServiceItsOwnerAndARunbook(t *testing.T) {
	t.Parallel()
	r, problems := everything(t).In("prod")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, svc := range r.Services {
		for _, g := range monitoring.Rules(render.Input{Runbooks: "https://wiki.example/run/"}, r, svc) {
			for _, rule := range g.Rules {
				if rule.Labels["service"] != svc.Name || rule.Labels["environment"] != "prod" {
					t.Errorf("%s%s has the labels %v", rule.Record, rule.Alert, rule.Labels)
				}
				if rule.Alert == "" {
					continue
				}
				seen[rule.Alert] = true
				if rule.Labels["owner"] != svc.Owner || rule.Labels["severity"] != "page" && rule.Labels["severity"] != "ticket" {
					t.Errorf("%s has the labels %v", rule.Alert, rule.Labels)
				}
				if a := rule.Annotations; !strings.HasPrefix(a["summary"], svc.Name+": ") || a["description"] == "" || !strings.HasPrefix(a["runbook_url"], "https://wiki.example/run/") || strings.Contains(a["runbook_url"], "run//") {
					t.Errorf("%s has the annotations %v", rule.Alert, a)
				}
			}
		}
	}
	for _, k := range monitoring.Kinds() {
		if !seen[k.Alert()] && k.Slug != "lag-export-blind" { // which is the estate's
			t.Errorf("no service of the estate everything can raise %s", k.Alert())
		}
	}
}

func TestNoAlertIsWithoutARunbookAndNoRunbookWithoutAnAlert(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "docs", "runbooks")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pages := make(map[string]bool)
	for _, e := range entries {
		pages[e.Name()] = true
	}
	for _, k := range monitoring.Kinds() {
		name := k.Slug + ".md"
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s has no runbook: %v", k.Alert(), err)
			continue
		}
		delete(pages, name)
		if want := "# " + k.Alert() + "\n\nSeverity: " + string(k.Severity) + ".\n"; !strings.HasPrefix(string(text), want) {
			t.Errorf("%s does not begin with %q", name, want)
		}
	}
	for name := range pages {
		t.Errorf("no alert leads to %s", name)
	}
}

func TestRulesFollowFromTheContractLineByLine(t *testing.T) {
	t.Parallel()
	for _, target := range []render.Target{monitoring.Prometheus(), monitoring.Grafana()} {
		t.Run(target.Name, func(t *testing.T) {
			t.Parallel()
			in := render.Input{Estate: everything(t), Environment: "prod"}
			files, err := target.Files(in)
			if err != nil {
				t.Fatal(err)
			}
			again, err := target.Files(render.Input{Estate: everything(t), Environment: "prod"})
			if err != nil || cmp.Diff(files, again) != "" {
				t.Errorf("rendering again gives something else: %v", err)
			}
			golden := filepath.Join("testdata", "golden")
			for _, f := range files {
				if strings.HasPrefix(f.Path, "tests/") || f.Path == "dashboards/shipping.json" || f.Path == "rules/shipping.rules.yaml" {
					continue // one of a kind is enough to read
				}
				name := filepath.Join(golden, path.Base(f.Path))
				if *update {
					if err := os.WriteFile(name, f.Content, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(f.Content)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// boards are the dashboards of the estate everything, by path.
func boards(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := monitoring.Grafana().Files(render.Input{Estate: everything(t), Environment: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]any)
	for _, f := range files {
		var board map[string]any
		if err := json.Unmarshal(f.Content, &board); err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		all[f.Path] = board
	}
	return all
}

func TestDashboardsAreWhatGrafanaTakes(t *testing.T) {
	t.Parallel()
	uids := make(map[string]string)
	for name, board := range boards(t) {
		uid := board["uid"].(string)
		if len(uid) > 40 || uids[uid] != "" {
			t.Errorf("%s has the uid %q, as has %q", name, uid, uids[uid])
		}
		uids[uid] = name
		taken := make(map[[2]int]string)
		ids := make(map[float64]bool)
		for _, p := range board["panels"].([]any) {
			panel := p.(map[string]any)
			title := panel["title"].(string)
			if id := panel["id"].(float64); ids[id] || title == "" {
				t.Errorf("%s: panel %q has the id %v of another, or no title", name, title, id)
			} else {
				ids[id] = true
			}
			at := panel["gridPos"].(map[string]any)
			x, y, w, h := int(at["x"].(float64)), int(at["y"].(float64)), int(at["w"].(float64)), int(at["h"].(float64))
			if x+w > 24 {
				t.Errorf("%s: %q is wider than the grid", name, title)
			}
			for i := range w {
				for j := range h {
					if other := taken[[2]int{x + i, y + j}]; other != "" {
						t.Fatalf("%s: %q lies over %q", name, title, other)
					}
					taken[[2]int{x + i, y + j}] = title
				}
			}
		}
	}
}

func TestADashboardShowsWhatTheContractHas(t *testing.T) {
	t.Parallel()
	titles := func(board map[string]any) []string {
		var all []string
		for _, p := range board["panels"].([]any) {
			all = append(all, p.(map[string]any)["title"].(string))
		}
		return all
	}
	all := boards(t)
	ledger, shipping := titles(all["dashboards/ledger.json"]), titles(all["dashboards/shipping.json"])
	for _, title := range []string{"Outbox", "Records on disk", "Breaker"} {
		if !slices.Contains(ledger, title) || slices.Contains(shipping, title) {
			t.Errorf("%q: ledger has it, and shipping cannot: %v %v", title, slices.Contains(ledger, title), slices.Contains(shipping, title))
		}
	}
	if !slices.Contains(shipping, "Password in use") || slices.Contains(ledger, "Password in use") {
		t.Error("the panel of passwords belongs to shipping alone")
	}
}

// A name goes into expressions, comments and JSON. Contracts keep them tame; an
// owner and a description may hold anything.
func TestAHostileOwnerStaysText(t *testing.T) {
	t.Parallel()
	const hostile = `team"}, {{ $value }} # <b>`
	text := "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: stock, owner: " + fmt.Sprintf("%q", hostile) + "}\nconsumes: {orders.v1: {}}\n"
	estate, problems := contract.Load(fstest.MapFS{"slipway.yaml": {Data: []byte(text)}}, ".")
	if problems.Failed() {
		t.Skip("the contract refuses it") // then nothing can come of it
	}
	for _, target := range []render.Target{monitoring.Prometheus(), monitoring.Grafana()} {
		files, err := target.Files(render.Input{Estate: estate, Environment: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.Contains(string(f.Content), `: `+hostile) {
				t.Errorf("%s has the owner as it is", f.Path)
			}
		}
	}
}

func TestKindsAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, k := range monitoring.Kinds() {
		if seen[k.Slug] || seen[k.Alert()] {
			t.Errorf("%s is there twice", k.Slug)
		}
		seen[k.Slug], seen[k.Alert()] = true, true
	}
	if got := slices.Sorted(maps.Keys(seen)); len(got) != 2*len(monitoring.Kinds()) {
		t.Errorf("%d names of %d kinds", len(got), len(monitoring.Kinds()))
	}
}
