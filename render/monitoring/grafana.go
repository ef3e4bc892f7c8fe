package monitoring

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render"
)

// Grafana is the target that shows services in Grafana: a dashboard for each, with
// panels for what its contract has, and one of the whole estate that leads to them.
func Grafana() render.Target {
	return render.Target{
		Name: "grafana", Summary: "a Grafana dashboard for each service, and one of the estate",
		Render: func(in render.Input) ([]render.File, error) {
			r, err := in.Resolve()
			if err != nil {
				return nil, err
			}
			files := []render.File{{Path: "dashboards/" + estateName + ".json", Content: estateBoard(r).encode()}}
			for _, svc := range r.Services {
				files = append(files, render.File{Path: "dashboards/" + svc.Name + ".json", Content: serviceBoard(in, r, svc).encode()})
			}
			return files, nil
		},
	}
}

// schemaVersion is the form of dashboards that Grafana 11 writes and later ones
// read.
const schemaVersion = 41

// A board is a dashboard as Grafana keeps it, as far as it is used here.
type board struct {
	UID           string    `json:"uid"`
	Title         string    `json:"title"`
	Description   string    `json:"description"`
	Tags          []string  `json:"tags"`
	SchemaVersion int       `json:"schemaVersion"`
	Editable      bool      `json:"editable"`
	GraphTooltip  int       `json:"graphTooltip"`
	Refresh       string    `json:"refresh"`
	Timezone      string    `json:"timezone"`
	Time          span      `json:"time"`
	Links         []link    `json:"links"`
	Templating    templates `json:"templating"`
	Panels        []panel   `json:"panels"`

	nextID, x, y int
}

type span struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags,omitempty"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

type templates struct {
	List []variable `json:"list"`
}

type variable struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Type    string `json:"type"`
	Query   string `json:"query"`
	Refresh int    `json:"refresh"`
	Hide    int    `json:"hide"`
}

// A source is a data source: here always the one that the reader chooses.
type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

var prometheus = source{"prometheus", "${datasource}"}

// newBoard begins a dashboard. Its uid follows from what it is of, so that links to
// it last: Grafana allows it 40 characters, fewer than names have.
func newBoard(of, title, description string, tags ...string) *board {
	sum := sha256.Sum256([]byte(of))
	return &board{
		UID: "slipway-" + hex.EncodeToString(sum[:8]), Title: title, Description: description, Tags: append([]string{"slipway"}, tags...),
		SchemaVersion: schemaVersion, GraphTooltip: 1, Refresh: "30s", Timezone: "browser", Time: span{"now-6h", "now"},
		Links:      []link{{Title: "Slipway", Type: "dashboards", Tags: []string{"slipway"}, AsDropdown: true, KeepTime: true}},
		Templating: templates{[]variable{{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1}}},
		Panels:     []panel{}, nextID: 1,
	}
}

func (b *board) encode() []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(b) // of texts and numbers
	return out.Bytes()
}

// estateBoard shows all services of an environment, worst first.
func estateBoard(r *contract.Resolved) *board {
	b := newBoard(r.Env, "Slipway · all services · "+r.Env, "What fires, and how far each service is from what it promises.", r.Env)
	of := func(metric string, more ...string) string {
		return metric + "{" + strings.Join(append([]string{`environment="` + r.Env + `"`}, more...), ",") + "}"
	}
	b.row("Now")
	b.table("Alerts that fire", "With their services, owners and causes.", of("ALERTS", `alertstate="firing"`, `alertname=~"Slipway.*"`))
	b.graph("Instances that answer", "", "none", query{"sum by (service) (" + of("up") + ")", "{{service}}"})
	b.row("What is promised")
	b.graph("Budget of success: rate at which it burns", "1 uses it up in 30 days.", "none", budgets(r, of)...)
	b.graph("Lag", "Records behind, by consumer group.", "short", query{"sum by (consumer_group) (" + of("kafka_consumer_lag") + ")", "{{consumer_group}}"})
	b.graph("Lag as the brokers see it", "Outlives the pods; from slipway lag export.", "short", query{"sum by (consumer_group) (slipway_group_lag)", "{{consumer_group}}"})
	b.row("Traffic")
	b.graph("Records handled", "A second, by service.", "ops", query{"sum by (service) (rate(" + of("kafka_consumer_messages_processed_total") + "[5m]))", "{{service}}"})
	b.graph("Records written", "A second, by service.", "ops", query{"sum by (service) (rate(" + of("kafka_producer_messages_total", `result="written"`) + "[5m]))", "{{service}}"})
	b.graph("Dead letters written", "In five minutes, by service.", "short", query{"sum by (service) (increase(" + of("kafka_consumer_deadletters_written_total") + "[5m]))", "{{service}}"})
	return b
}

// budgets are the burn rates of all services that promise success.
func budgets(r *contract.Resolved, of func(string, ...string) string) []query {
	var all []query
	for _, svc := range r.Services {
		if svc.SLO.Success > 0 && svc.SLO.Success < 1 {
			all = append(all, query{fmt.Sprintf("max(%s) / %s", of("slipway:failed:ratio_rate1h", `service="`+svc.Name+`"`), number(1-svc.SLO.Success)), svc.Name})
		}
	}
	return all
}
