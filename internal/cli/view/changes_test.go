package view_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/plan"
)

// largePlan has so many changes, every hundredth of which is not safe.
func largePlan(n int) *plan.Plan {
	p := &plan.Plan{Env: "prod", Cluster: "kafka", ClusterID: "abc", Changes: []plan.Change{}}
	for i := range n {
		c := plan.Change{Action: plan.Create, Kind: plan.KindTopic, Name: fmt.Sprintf("t%d", i), Class: plan.Safe, Service: fmt.Sprintf("s%d", i%7)}
		if i%2 == 1 {
			c.Kind = plan.KindUser
		}
		if i%100 == 99 {
			c.Class, c.Allow = plan.Destructive, "x:"+c.Name
		}
		p.Changes = append(p.Changes, c)
	}
	return p
}

func planAs(t *testing.T, format view.Format, p *plan.Plan) string {
	t.Helper()
	var out strings.Builder
	v := view.View{Out: &out, Err: &out, Format: format}
	if err := v.Plan(p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAPlanCanBeReadWhateverItsLength(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		changes  int
		format   view.Format
		summary  bool
		listed   int
		leftOver string
	}{
		"a few":                 {3, view.Table, false, 3, ""},
		"up to a summary":       {50, view.Table, false, 50, ""},
		"with a summary":        {51, view.Table, true, 51, ""},
		"as many as are listed": {200, view.Table, true, 200, ""},
		"one more":              {201, view.Table, true, 200, "… and 1 more changes, all of them safe. -o wide lists all; --service NAME and --only KIND list some."},
		"three thousand":        {3000, view.Table, true, 200, "… and 2800 more changes, all of them safe."},
		"more than is grave":    {30_000, view.Table, true, 200, "… and 29800 more changes, 100 of them not safe."},
		"three thousand, wide":  {3000, view.Wide, true, 3000, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := planAs(t, tt.format, largePlan(tt.changes))
			if n := strings.Count(got, "\n  + "); n != tt.listed {
				t.Errorf("%d changes are listed, want %d", n, tt.listed)
			}
			if strings.Contains(got, "\nSERVICE  TOPIC  USER  ALL\n") != tt.summary {
				t.Errorf("there is a summary or not, want %t:\n%s", tt.summary, got[:min(len(got), 500)])
			}
			if !strings.Contains(got, tt.leftOver) || tt.leftOver == "" && strings.Contains(got, "…") {
				t.Errorf("it lacks %q:\n%s", tt.leftOver, got[max(0, len(got)-300):])
			}
			if want := min(tt.changes/100, 200); strings.Count(got, "needs --allow") != want {
				t.Errorf("%d changes that are not safe are listed, want all %d", strings.Count(got, "needs --allow"), want)
			}
			if !strings.Contains(got, fmt.Sprintf("Plan: %d to add", tt.changes)) {
				t.Errorf("it does not count all changes:\n%s", got[max(0, len(got)-300):])
			}
		})
	}
}

func TestDocumentsLeaveNothingOut(t *testing.T) {
	t.Parallel()
	p := largePlan(3000)
	for i := range 300 {
		p.Orphans = append(p.Orphans, plan.Orphan{Kind: plan.KindTopic, Name: fmt.Sprintf("o%d", i), Allow: fmt.Sprintf("delete:topic/o%d", i)})
	}
	var doc struct {
		Kind    string
		Version int
		Changes []plan.Change
		Orphans []plan.Orphan
		Summary plan.Summary
	}
	if err := json.Unmarshal([]byte(planAs(t, view.JSON, p)), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Kind != "Plan" || doc.Version != 1 || len(doc.Changes) != 3000 || len(doc.Orphans) != 300 || doc.Summary.Create != 3000 || doc.Summary.NeedAllow != 30 {
		t.Errorf("kind %s, version %d, %d changes, %d orphans, %+v", doc.Kind, doc.Version, len(doc.Changes), len(doc.Orphans), doc.Summary)
	}
}

func TestOrphansAreListedUpToABound(t *testing.T) {
	t.Parallel()
	p := largePlan(0)
	for i := range 60 {
		o := plan.Orphan{Kind: plan.KindACL, Name: fmt.Sprintf("User:o%d\x1b[31m", i), Text: "7 ACLs", Allow: "delete:acl/User:o"}
		for j := range 7 {
			o.Evidence = append(o.Evidence, fmt.Sprintf("binding %d", j))
		}
		p.Orphans = append(p.Orphans, o)
	}
	for format, want := range map[view.Format][3]int{view.Table: {50, 50 * 5, 1}, view.Wide: {60, 60 * 7, 0}} {
		got := planAs(t, format, p)
		counts := [3]int{strings.Count(got, "\n  ? acl"), strings.Count(got, "binding "), strings.Count(got, "… and 10 more orphans; -o wide lists all")}
		if counts != want {
			t.Errorf("%s: %v orphans, lines of evidence and words about the rest, want %v", format, counts, want)
		}
		if strings.Contains(got, "\x1b") {
			t.Errorf("%s: a name from the cluster reaches the terminal raw", format)
		}
		if !strings.Contains(got, "Nothing to do") {
			t.Errorf("%s: orphans are taken for changes", format)
		}
	}
}

func TestOfManyOutcomesThoseThatFailedAreListed(t *testing.T) {
	t.Parallel()
	p := largePlan(300)
	var outcomes []view.Outcome
	for i, c := range p.Changes {
		o := view.Outcome{Change: c}
		if i%100 == 0 {
			o.Err = errFull
		}
		outcomes = append(outcomes, o)
	}
	for format, want := range map[view.Format][3]int{view.Table: {3, 0, 1}, view.Wide: {3, 297, 0}} {
		var out strings.Builder
		v := view.View{Out: &out, Err: &out, Format: format}
		if err := v.Applied(p, outcomes); err != nil {
			t.Fatal(err)
		}
		got := [3]int{
			strings.Count(out.String(), "failed "), strings.Count(out.String(), "done    "),
			strings.Count(out.String(), "297 changes that are done are not listed; -o wide lists all"),
		}
		if got != want || !strings.Contains(out.String(), "Applied: 297 done, 3 failed, 0 not begun.") {
			t.Errorf("%s: %v failed, done and words about the rest, want %v", format, got, want)
		}
	}
}
