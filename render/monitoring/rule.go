package monitoring

import (
	"strings"
	"time"

	"github.com/slipway-go/slipway/render"
)

// A Severity says who has to know when.
type Severity string

// The severities, as the label severity has them.
const (
	Page   Severity = "page"   // somebody has to act now
	Ticket Severity = "ticket" // somebody has to act in working hours
)

// A Group is rules that Prometheus evaluates one after the other.
type Group struct {
	Name  string
	Rules []Rule
}

// A Rule is an alert, or the recording of an expression that alerts are made of.
type Rule struct {
	Record string // the series that is recorded; empty for an alert
	Alert  string // the alert's name; empty for a recording

	Expr        string
	For         time.Duration // how long it must hold before the alert fires
	Labels      map[string]string
	Annotations map[string]string

	// Why are the lines of contracts that the rule follows from, as comments.
	Why []string

	probe probe
}

// A Kind is one kind of alert: the same problem, whichever service has it.
type Kind struct {
	Slug     string // names the runbook
	Severity Severity
	For      time.Duration
	Summary  string // a sentence that names what the labels name
	Meaning  string // what it means for the service, in a sentence or two
}

// Alert is the alert's name.
func (k Kind) Alert() string {
	var name strings.Builder
	name.WriteString("Slipway")
	for word := range strings.SplitSeq(k.Slug, "-") {
		if word == "acl" {
			word = "ACL"
		}
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

// alert makes the alert of a kind for a service.
func (s *scope) alert(k Kind, expr string, p probe, why ...string) {
	s.rules = append(s.rules, Rule{
		Alert: k.Alert(), Expr: expr, For: k.For, Why: why, probe: p,
		Labels: map[string]string{
			"service": s.service, "environment": s.env, "owner": s.owner, "severity": string(k.Severity),
		},
		Annotations: map[string]string{
			"summary": s.service + ": " + k.Summary, "description": k.Meaning, "runbook_url": s.in.Runbook(k.Slug),
		},
	})
}

// A scope is what the rules of one service are made from.
type scope struct {
	in                  render.Input
	service, env, owner string
	sample              sample
	rules               []Rule
}

// of selects the series of a metric that belong to the service. Further matchers
// are written as PromQL has them.
func (s *scope) of(metric string, matchers ...string) string {
	all := append([]string{`service="` + s.service + `"`, `environment="` + s.env + `"`}, matchers...)
	return metric + "{" + strings.Join(all, ",") + "}"
}

// grew is by how much a counter has grown over a time, summed by labels. A series
// that was not there at the beginning counts with all it has: increase alone
// would never see the first failure of a kind.
func (s *scope) grew(by, metric string, matchers ...string) string {
	series := s.of(metric, matchers...)
	sum := "sum("
	if by != "" {
		sum = "sum by (" + by + ") ("
	}
	return sum + "\n  (" + series + "\n    unless " + series + " offset 15m)\n  or increase(" + series + "[15m])\n)"
}

// take returns the rules made so far as a group, and begins another.
func (s *scope) take(name string) Group {
	g := Group{Name: "slipway." + s.env + "." + s.service + "." + name, Rules: s.rules}
	s.rules = nil
	return g
}
