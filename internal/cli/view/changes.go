package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// A table stays one that can be read: it begins with a summary if there are
// many changes, and leaves some out if there are very many. The wide one leaves
// nothing out.
const (
	summaryFrom = 50
	mostChanges = 200
	mostOrphans = 50
	mostProofs  = 5 // lines of evidence of an orphan
)

// changes lists what would change, by service.
func (v *View) changes(w io.Writer, p *plan.Plan) {
	fmt.Fprintf(w, "environment %s on cluster %s (%s)\n", diag.Escape(p.Env), diag.Escape(p.Cluster), diag.Escape(p.ClusterID))
	if p.Empty() {
		fmt.Fprintln(w, "\nNothing to do: the cluster is what the contracts call for.")
		return
	}
	if len(p.Changes) > summaryFrom {
		overview(w, p.Changes)
	}
	shown := v.shown(p.Changes)
	byService := map[string][]plan.Change{}
	for _, c := range shown {
		byService[c.Service] = append(byService[c.Service], c)
	}
	for _, service := range slices.Sorted(maps.Keys(byService)) {
		fmt.Fprintf(w, "\n%s\n", diag.Escape(cmp.Or(service, "(no service)")))
		for _, c := range byService[service] {
			v.change(w, c)
		}
	}
	if left := p.Changes; len(shown) < len(left) {
		fmt.Fprintf(w, "\n… and %d more changes%s. -o wide lists all; --service NAME and --only KIND list some.\n", len(left)-len(shown), grave(left, shown))
	}
}

// shown are as many changes as a table holds, those first that are not safe,
// in the plan's order.
func (v *View) shown(all []plan.Change) []plan.Change {
	if v.Format == Wide || len(all) <= mostChanges {
		return all
	}
	room := mostChanges - min(mostChanges, unsafe(all))
	var some []plan.Change
	for _, c := range all {
		switch {
		case len(some) == mostChanges:
			return some
		case c.Class == plan.Safe && room == 0:
		case c.Class == plan.Safe:
			room--
			some = append(some, c)
		default:
			some = append(some, c)
		}
	}
	return some
}

func unsafe(all []plan.Change) int {
	n := 0
	for _, c := range all {
		if c.Class != plan.Safe {
			n++
		}
	}
	return n
}

// grave says how many of the changes left out are not safe.
func grave(all, shown []plan.Change) string {
	if n := unsafe(all) - unsafe(shown); n > 0 {
		return fmt.Sprintf(", %d of them not safe", n)
	}
	return ", all of them safe"
}

// overview counts changes by service and kind.
func overview(w io.Writer, changes []plan.Change) {
	type cell struct {
		service string
		kind    plan.Kind
	}
	counts, total := map[cell]int{}, map[string]int{}
	var kinds []plan.Kind
	for _, c := range changes { // in the order of kinds
		counts[cell{c.Service, c.Kind}]++
		total[c.Service]++
		if !slices.Contains(kinds, c.Kind) {
			kinds = append(kinds, c.Kind)
		}
	}
	titles := []string{"SERVICE"}
	for _, k := range kinds {
		titles = append(titles, strings.ToUpper(string(k)))
	}
	fmt.Fprintln(w)
	t := newTable(w, append(titles, "ALL")...)
	services := slices.SortedFunc(maps.Keys(total), func(a, b string) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b))
	})
	for _, service := range services[:min(len(services), summaryFrom)] {
		row := []string{cmp.Or(service, "(no service)")}
		for _, k := range kinds {
			row = append(row, fmt.Sprint(counts[cell{service, k}]))
		}
		t.row(append(row, fmt.Sprint(total[service]))...)
	}
	t.flush()
	if more := len(services) - summaryFrom; more > 0 {
		fmt.Fprintf(w, "… and %d more services\n", more)
	}
}

// orphans lists what nobody declares, and what would delete it.
func (v *View) orphans(w io.Writer, all []plan.Orphan) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "\norphans: here, this estate's by name, and in no contract")
	shown := all
	if v.Format != Wide {
		shown = all[:min(len(all), mostOrphans)]
	}
	for _, o := range shown {
		fmt.Fprintf(w, "  ? %s\n", diag.Escape(o.String()))
		for i, line := range o.Evidence {
			if v.Format != Wide && i == mostProofs {
				fmt.Fprintf(w, "      and %d more\n", len(o.Evidence)-i)
				break
			}
			fmt.Fprintf(w, "      %s\n", diag.Escape(line))
		}
		fmt.Fprintf(w, "      --allow %s would delete it\n", diag.Escape(o.Allow))
	}
	if more := len(all) - len(shown); more > 0 {
		fmt.Fprintf(w, "… and %d more orphans; -o wide lists all\n", more)
	}
}

type driftDocument struct {
	Header
	*plan.Plan
	Summary plan.Summary `json:"summary"`
}

// Drift writes where a cluster is not what the contracts call for.
func (v *View) Drift(p *plan.Plan) error {
	var names []string
	for _, c := range p.Changes {
		names = append(names, string(c.Kind)+"/"+c.Name)
	}
	for _, o := range p.Orphans {
		names = append(names, string(o.Kind)+"/"+o.Name)
	}
	return v.answer(driftDocument{header("Drift"), p, p.Summary()}, func(w io.Writer) {
		v.changes(w, p)
		v.orphans(w, p.Orphans)
		fmt.Fprintf(w, "\nDrift: %s, %s.\n", many(len(p.Changes), "difference"), many(len(p.Orphans), "orphan"))
	}, slices.Compact(names))
}

func many(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
