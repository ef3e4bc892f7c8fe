package view

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

// A Redrive is what a redrive would do or has done, for each topic.
type Redrive struct {
	Action      string         `json:"action"`
	Environment string         `json:"environment"`
	Cluster     string         `json:"cluster"`
	Principal   string         `json:"principal"`
	Selection   map[string]any `json:"selection"`
	DryRun      bool           `json:"dryRun"`
	Topics      []TopicRedrive `json:"topics"`
}

// A TopicRedrive is a redrive of one dead-letter topic.
type TopicRedrive struct {
	Topic     string     `json:"topic"`
	Retry     string     `json:"retry"`
	Group     string     `json:"group"`
	Redrive   string     `json:"redrive"` // its id
	Resumed   bool       `json:"resumed"`
	Counts    dlq.Counts `json:"counts"`
	Forgotten int64      `json:"forgotten,omitempty"` // sent, and not remembered
	Seconds   float64    `json:"seconds,omitempty"`
}

// Add adds what was found or done for a topic.
func (r *Redrive) Add(p *dlq.Plan, n dlq.Counts, forgotten int64, took time.Duration) {
	r.Topics = append(r.Topics, TopicRedrive{
		Topic: p.Source.Topic, Retry: p.Source.Retry, Group: p.Source.Group, Redrive: p.Name(), Resumed: p.Resumed,
		Counts: n, Forgotten: forgotten, Seconds: took.Round(time.Millisecond).Seconds(),
	})
}

// Refused is an error if any letter was refused, with a few of them.
func (r *Redrive) Refused() error {
	var list []diag.Diagnostic
	n := 0
	for _, t := range r.Topics {
		n += t.Counts.Refused
		list = append(list, t.Counts.Refusals...)
	}
	if n == 0 {
		return nil
	}
	d := diag.New(list[0].Code, "a letter was refused")
	if n > 1 {
		d = diag.New(list[0].Code, "%d letters were refused", n)
	}
	for _, one := range list {
		d = d.WithEvidence("%s: %s", one.Code, one.Message)
	}
	if n > len(list) {
		d = d.WithEvidence("… and %d more", n-len(list))
	}
	return d
}

type redriveDocument struct {
	Header
	Redrive
}

// RedrivePlan writes what would be sent.
func (v *View) RedrivePlan(r Redrive) error {
	return v.answer(redriveDocument{header("RedrivePlan"), r}, func(w io.Writer) {
		fmt.Fprintf(w, "environment %s on cluster %s, as %s\n", diag.Escape(r.Environment), diag.Escape(r.Cluster), diag.Escape(r.Principal))
		for _, t := range r.Topics {
			redrivePlan(w, t)
		}
	}, nil)
}

func redrivePlan(w io.Writer, t TopicRedrive) {
	n := t.Counts
	fmt.Fprintf(w, "\n%s\n", diag.Escape(t.Topic))
	if t.Resumed {
		fmt.Fprintf(w, "  goes on with redrive %s, which stopped on its way\n", t.Redrive)
	}
	fmt.Fprintf(w, "  %s read, %d selected, %d sent before, %d refused\n", count(n.Read, "letter"), n.Selected, n.Before, n.Refused)
	if n.Undecided > 0 {
		fmt.Fprintf(w, "  %d without an answer from the filter: %s\n", n.Undecided, diag.Escape(n.Why))
	}
	for _, refusal := range n.Refusals {
		fmt.Fprintf(w, "  refused: %s (%s)\n", diag.Escape(refusal.Message), refusal.Code)
	}
	if n.Sendable() == 0 {
		fmt.Fprintln(w, "  nothing to send")
		return
	}
	fmt.Fprintf(w, "  %s, from %s to %s\n", diag.Escape(reasons(n.Reasons)), instant(n.Oldest), instant(n.Newest))
	for _, one := range outcomes(n) {
		fmt.Fprintf(w, "  %s, for group %s\n", one, diag.Escape(t.Group))
	}
}

// outcomes are what becomes of the letters, with how many.
func outcomes(n dlq.Counts) []string {
	var all []string
	for _, o := range []struct {
		n    int
		what string
	}{{n.Inject, "to be handled again"}, {n.Release, "to release a parked key"}, {n.Skip, "to let a parked key go on without its head"}} {
		if o.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", o.n, o.what))
		}
	}
	return all
}

// Redriven writes what was sent.
func (v *View) Redriven(r Redrive) error {
	return v.answer(redriveDocument{header("Redrive"), r}, func(w io.Writer) {
		for _, t := range r.Topics {
			fmt.Fprintf(w, "%s: %d sent, %d sent before, %d refused, in %.1fs (redrive %s)\n",
				diag.Escape(t.Topic), t.Counts.Sendable(), t.Counts.Before, t.Counts.Refused, t.Seconds, t.Redrive)
			if t.Forgotten > 0 {
				v.Note("%d of the letters that were sent are not remembered, for want of room: a later redrive would send them again", t.Forgotten)
			}
		}
	}, nil)
}

// An AuditLine is what an audit keeps of one event.
type AuditLine struct {
	Time        time.Time       `json:"time"`
	Event       string          `json:"event"` // began or ended
	Action      string          `json:"action"`
	Principal   string          `json:"principal"`
	Environment string          `json:"environment"`
	Cluster     string          `json:"cluster"`
	Topic       string          `json:"topic"`
	Retry       string          `json:"retry,omitempty"`
	Redrive     string          `json:"redrive,omitempty"`
	Resumed     bool            `json:"resumed,omitempty"`
	Selection   map[string]any  `json:"selection,omitempty"`
	Below       map[int32]int64 `json:"below,omitempty"` // of a purge, by partition
	Key         *string         `json:"key,omitempty"`   // of a key that is parked, or let go
	Partition   *int32          `json:"partition,omitempty"`
	Counts      dlq.Counts      `json:"counts,omitzero"`
	Error       string          `json:"error,omitempty"`
}

// Text is the line of JSON with its end.
func (l AuditLine) Text() ([]byte, error) {
	text, err := json.Marshal(l)
	return append(visible(text), '\n'), err
}

// Progress shows how far something came, on a line of a terminal's that is
// written over. Elsewhere it shows nothing.
type Progress struct {
	w     io.Writer // nil for none
	total int
	began bool
}

// Progress returns a progress of so many.
func (v *View) Progress(total int) *Progress {
	if !v.Color || !v.ForPeople() {
		return &Progress{}
	}
	return &Progress{w: v.Err, total: total}
}

// At shows how many are done.
func (p *Progress) At(n int) {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[Ksent %d of %d", n, p.total)
		p.began = true
	}
}

// End removes the line.
func (p *Progress) End() {
	if p.began {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// A Stage is when a removal is shown.
type Stage string

// The stages of a removal.
const (
	Planned Stage = "RemovalPlan"
	Deleted Stage = "Removal"
)

type removalDocument struct {
	Header
	Topic   string          `json:"topic"`
	Letters int             `json:"letters"`
	Unsent  int             `json:"unsent"`
	Held    int             `json:"held"`
	Reasons map[string]int  `json:"reasons"`
	Below   map[int32]int64 `json:"below"`
}

// Removal writes which letters are to be deleted, or were.
func (v *View) Removal(r *dlq.Removal, at Stage) error {
	doc := removalDocument{header(string(at)), r.Source.Topic, r.Letters, r.Unsent, r.Held, r.Reasons, r.Offsets}
	return v.answer(doc, func(w io.Writer) { removal(w, r, at) }, nil)
}

func removal(w io.Writer, r *dlq.Removal, at Stage) {
	if at == Deleted {
		fmt.Fprintf(w, "%s: %s deleted\n", diag.Escape(r.Source.Topic), count(r.Letters, "letter"))
		return
	}
	fmt.Fprintf(w, "%s\n", diag.Escape(r.Source.Topic))
	if r.Empty() {
		fmt.Fprintln(w, "  nothing to delete")
		return
	}
	fmt.Fprintf(w, "  %s to delete (%s), %d of them never sent back\n", count(r.Letters, "letter"), diag.Escape(reasons(r.Reasons)), r.Unsent)
	for _, p := range slices.Sorted(maps.Keys(r.Offsets)) {
		fmt.Fprintf(w, "  partition %d: below offset %d\n", p, r.Offsets[p])
	}
	if r.Held > 0 {
		fmt.Fprintf(w, "  %s of parked keys that nobody released or skipped\n", count(r.Held, "letter"))
	}
}

// A Parking is a key that was parked by hand, or let go.
type Parking struct {
	Key       string `json:"key"`
	Parked    bool   `json:"parked"`
	Topic     string `json:"topic"`
	Group     string `json:"group"`
	Partition int32  `json:"partition"`
}

type parkingDocument struct {
	Header
	Parking
}

// Parked writes that a key was parked, or let go.
func (v *View) Parked(p Parking) error {
	return v.answer(parkingDocument{header("Parking"), p}, func(w io.Writer) {
		words := "is let go"
		if p.Parked {
			words = "is parked"
		}
		fmt.Fprintf(w, "key %s of %s, partition %d, %s for group %s\n", diag.Escape(p.Key), diag.Escape(p.Topic), p.Partition, words, diag.Escape(p.Group))
	}, []string{p.Key})
}

// tableWithoutTitles is a table for rows that explain themselves.
func tableWithoutTitles(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}
