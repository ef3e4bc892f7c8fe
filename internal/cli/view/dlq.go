package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/dlq"
)

// maxCell is how much of an error or a key a table shows, in characters.
const maxCell = 48

type deadLetterTopicsDocument struct {
	Header
	Environment string        `json:"environment"`
	Topics      []dlq.Summary `json:"topics"`
}

// DeadLetterTopics writes what dead-letter topics hold.
func (v *View) DeadLetterTopics(env string, all []dlq.Summary) error {
	var names []string
	for _, s := range all {
		names = append(names, s.Topic)
	}
	return v.answer(deadLetterTopicsDocument{header("DeadLetterTopics"), env, all}, func(w io.Writer) { v.deadLetterTopics(w, all) }, names)
}

func (v *View) deadLetterTopics(w io.Writer, all []dlq.Summary) {
	titles := []string{"TOPIC", "LETTERS", "SENT", "PARKED KEYS", "OLDEST", "NEWEST", "REASONS"}
	if v.Format == Wide {
		titles = append(titles, "SERVICE", "ENTRY", "RETRY")
	}
	t := newTable(w, titles...)
	for _, s := range all {
		cells := []string{s.Topic, strconv.Itoa(s.Letters), known(s.Sent), strconv.Itoa(s.ParkedKeys), instant(s.Oldest), instant(s.Newest), told(s)}
		if v.Format == Wide {
			cells = append(cells, s.Service, s.Entry, cmp.Or(s.Retry, "-"))
		}
		t.row(cells...)
	}
	t.flush()
}

func known(n int) string {
	if n < 0 {
		return "?"
	}
	return strconv.Itoa(n)
}

// told is why letters are there, and what else is to be known of the topic.
func told(s dlq.Summary) string {
	if s.Missing {
		return "not created yet"
	}
	words := reasons(s.Reasons)
	if s.Unfinished != "" {
		words += "; redrive " + s.Unfinished[:8] + " is unfinished"
	}
	if s.Undecided > 0 {
		words += fmt.Sprintf("; %d without an answer from the filter", s.Undecided)
	}
	return words
}

// reasons are counts, the most frequent first.
func reasons(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, n := range names {
		names[i] = fmt.Sprintf("%d %s", counts[n], brief(cmp.Or(n, "untold")))
	}
	return cmp.Or(strings.Join(names, ", "), "-")
}

// instant is a time to the second, or a dash.
func instant(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// brief is the beginning of a text, on one line.
func brief(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if r := []rune(text); len(r) > maxCell {
		return string(r[:maxCell-1]) + "…"
	}
	return text
}

// A letterDocument is a letter without its value.
type letterDocument struct {
	Place    string         `json:"place"`
	Time     time.Time      `json:"time"`
	Dialect  dlq.Dialect    `json:"dialect,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Class    string         `json:"class,omitempty"`
	Error    string         `json:"error,omitempty"`
	Key      *string        `json:"key"`
	Size     int            `json:"size"`
	Attempts int            `json:"attempts,omitempty"`
	Redrives int            `json:"redrives,omitempty"`
	First    time.Time      `json:"first,omitzero"`
	Last     time.Time      `json:"last,omitzero"`
	Origin   originDocument `json:"origin"`
	Faults   []string       `json:"faults,omitempty"`
}

type originDocument struct {
	Topic     string    `json:"topic,omitempty"`
	Partition *int32    `json:"partition,omitempty"`
	Offset    *int64    `json:"offset,omitempty"`
	Group     string    `json:"group,omitempty"`
	Time      time.Time `json:"time,omitzero"`
}

func documentOf(l *dlq.Letter) letterDocument {
	d := letterDocument{
		Place: l.String(), Time: l.Time, Dialect: l.Dialect, Reason: l.Reason, Class: l.Class, Error: l.Error, Size: l.ValueSize,
		Attempts: l.Attempts, Redrives: l.Redrives, First: l.First, Last: l.Last, Faults: l.Faults,
		Origin: originDocument{Topic: l.Origin.Topic, Group: l.Origin.Group, Time: l.Origin.Time},
	}
	if l.Key != nil {
		d.Key = new(l.KeyText())
	}
	if l.Origin.Partition != dlq.Unknown {
		d.Origin.Partition = new(l.Origin.Partition)
	}
	if l.Origin.Offset != dlq.Unknown {
		d.Origin.Offset = new(l.Origin.Offset)
	}
	return d
}

type deadLettersDocument struct {
	Header
	Environment string           `json:"environment"`
	Letters     []letterDocument `json:"letters"`
	Limited     bool             `json:"limited"` // there may be more
}

// DeadLetters writes letters, one a line. Limited says that there may be more.
func (v *View) DeadLetters(env string, all []*dlq.Letter, limited bool) error {
	doc := deadLettersDocument{header("DeadLetters"), env, make([]letterDocument, 0, len(all)), limited}
	var names []string
	for _, l := range all {
		doc.Letters = append(doc.Letters, documentOf(l))
		names = append(names, l.String())
	}
	err := v.answer(doc, func(w io.Writer) { v.deadLetters(w, all) }, names)
	if limited && err == nil {
		v.Note("these are the first %d; --limit 0 shows all", len(all))
	}
	return err
}

func (v *View) deadLetters(w io.Writer, all []*dlq.Letter) {
	titles := []string{"PLACE", "TIME", "REASON", "KEY", "ERROR"}
	if v.Format == Wide {
		titles = append(titles, "CLASS", "ATTEMPTS", "REDRIVES", "SIZE", "ORIGIN", "GROUP", "DIALECT")
	}
	t := newTable(w, titles...)
	for _, l := range all {
		cells := []string{l.String(), instant(l.Time), dash(brief(l.Reason)), key(l), dash(brief(l.Error))}
		if v.Format == Wide {
			cells[4] = dash(l.Error)
			cells = append(cells, dash(l.Class), strconv.Itoa(l.Attempts), strconv.Itoa(l.Redrives), strconv.Itoa(l.ValueSize),
				from(l.Origin), dash(l.Origin.Group), dash(string(l.Dialect)))
		}
		t.row(cells...)
	}
	t.flush()
}

func dash(text string) string { return cmp.Or(text, "-") }

// key is a letter's key, or that it has none.
func key(l *dlq.Letter) string {
	if l.Key == nil {
		return "-"
	}
	return brief(l.KeyText())
}

// from is where a record died, as far as that is known.
func from(o dlq.Origin) string {
	part := func(known bool, n int64) string {
		if !known {
			return "?"
		}
		return strconv.FormatInt(n, 10)
	}
	return diag.Escape(cmp.Or(o.Topic, "?")) + "/" + part(o.Partition != dlq.Unknown, int64(o.Partition)) + "/" + part(o.Offset != dlq.Unknown, o.Offset)
}
