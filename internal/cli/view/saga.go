package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/saga"
)

type sagasDocument struct {
	Header
	Sagas   []saga.Summary `json:"sagas"`
	Limited bool           `json:"limited,omitempty"` // there may be more
}

// Sagas writes a list of sagas.
func (v *View) Sagas(all []saga.Summary, limited bool) error {
	var names []string
	for _, s := range all {
		names = append(names, s.Name+"/"+s.ID)
	}
	err := v.answer(sagasDocument{header("Sagas"), sequence(all), limited}, func(w io.Writer) { v.sagas(w, all) }, names)
	if err == nil && limited {
		v.Note("there may be more: --limit 0 shows all")
	}
	return err
}

// sequence is a list that is never null in a document.
func sequence[E any](all []E) []E {
	if all == nil {
		return []E{}
	}
	return all
}

func (v *View) sagas(w io.Writer, all []saga.Summary) {
	if len(all) == 0 {
		fmt.Fprintln(w, "No sagas.")
		return
	}
	titles := []string{"SAGA", "STATE", "STEP", "MOVED", "REASON"}
	if v.Format == Wide {
		titles = append(titles, "VERSION", "STARTED", "DUE")
	}
	t := newTable(w, titles...)
	for _, s := range all {
		reason := cmp.Or(s.Reason, "-")
		if v.Format != Wide {
			reason = brief(reason)
		}
		cells := []string{s.Name + "/" + s.ID, string(s.State), cmp.Or(s.Step, "-"), instant(s.Updated), reason}
		if v.Format == Wide {
			cells = append(cells, strconv.Itoa(s.Version), instant(s.Started), instant(s.Due))
		}
		t.row(cells...)
	}
	t.flush()
}

type sagaDocument struct {
	Header
	Saga *saga.Detail `json:"saga"`
}

// Saga writes everything about a saga.
func (v *View) Saga(d *saga.Detail) error {
	return v.answer(sagaDocument{header("Saga"), d}, func(w io.Writer) { v.saga(w, d) }, []string{d.Name + "/" + d.ID})
}

func (v *View) saga(w io.Writer, d *saga.Detail) {
	fmt.Fprintf(w, "%s  %s\n", diag.Escape(d.Name+"/"+d.ID), d.State)
	line := func(name, text string) {
		if text != "" && text != "-" {
			fmt.Fprintf(w, "  %-8s %s\n", name, diag.Escape(text))
		}
	}
	line("step", d.Step)
	line("reason", d.Reason)
	line("started", instant(d.Started))
	line("moved", instant(d.Updated))
	line("due", instant(d.Due))
	line("version", strconv.Itoa(d.Version))
	line("data", string(d.Data))
	for _, o := range d.Orders {
		line("ordered", fmt.Sprintf("%s by %s at %s, not carried out yet", strings.TrimSpace(o.Kind+" "+o.Step), o.Actor, instant(o.At)))
	}
	fmt.Fprintln(w)
	t := newTable(w, "STEP", "STATE", "REFUSED")
	for _, s := range d.Steps {
		t.row(s.Name, s.State, strconv.Itoa(s.Round))
	}
	t.flush()
	fmt.Fprintln(w)
	v.timeline(w, d)
}

// timeline is the history, with how long after the line before each happened.
func (v *View) timeline(w io.Writer, d *saga.Detail) {
	t := newTable(w, "TIME", "AFTER", "WHAT", "STEP", "BY", "DETAIL")
	for i, e := range d.History {
		after := "-"
		if i > 0 {
			after = e.At.Sub(d.History[i-1].At).Round(time.Millisecond).String()
		}
		t.row(e.At.UTC().Format("2006-01-02T15:04:05.000Z"), after, e.Kind, cmp.Or(e.Step, "-"), cmp.Or(e.Actor, "-"), e.Detail)
	}
	t.flush()
}

type sagasOrderedDocument struct {
	Header
	Order string         `json:"order"`
	Sagas []saga.Summary `json:"sagas"`
}

// SagasOrdered writes for which sagas something was ordered.
func (v *View) SagasOrdered(verb string, all []saga.Summary) error {
	var names []string
	for _, s := range all {
		names = append(names, s.Name+"/"+s.ID)
	}
	return v.answer(sagasOrderedDocument{header("SagasOrdered"), verb, sequence(all)}, func(w io.Writer) {
		for _, n := range names {
			fmt.Fprintf(w, "ordered %s of %s\n", verb, diag.Escape(n))
		}
	}, names)
}
