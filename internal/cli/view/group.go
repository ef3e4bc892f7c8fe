package view

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/group"
)

type groupLagDocument struct {
	Header
	Groups []group.Report `json:"groups"`
}

// GroupLag writes how groups are doing.
func (v *View) GroupLag(reports []group.Report) error {
	var names []string
	for _, r := range reports {
		names = append(names, "group/"+r.Group)
	}
	return v.answer(groupLagDocument{header("GroupLag"), reports}, func(w io.Writer) {
		for i, r := range reports {
			if i > 0 {
				fmt.Fprintln(w)
			}
			v.groupReport(w, r)
		}
		if len(reports) == 0 {
			fmt.Fprintln(w, "No contract here reads in a group.")
		}
	}, names)
}

func (v *View) groupReport(w io.Writer, r group.Report) {
	head := []string{r.Group, string(r.Status), fmt.Sprintf("lag %d", r.Lag)}
	if r.Retry > 0 {
		head = append(head, fmt.Sprintf("retry %d", r.Retry))
	}
	if r.RetrySeconds != nil {
		head[len(head)-1] += ", the oldest for " + waited(r.RetrySeconds)
	}
	about := strings.Trim(r.Protocol+" "+r.State, " ")
	if r.Assignor != "" {
		about += " by " + r.Assignor
	}
	if about != "" {
		head = append(head, "("+about+")")
	}
	fmt.Fprintln(w, diag.Escape(strings.Join(head, "  ")))
	for _, s := range r.Topics {
		if !s.Retry {
			fmt.Fprintf(w, "  %s: %s\n", diag.Escape(s.Topic), s)
		}
	}
	for _, m := range r.Idle() {
		fmt.Fprintf(w, "  idle: %s\n", diag.Escape(reader(m, v.Format == Wide)))
	}
	if len(r.Partitions) == 0 {
		return
	}
	var rows strings.Builder
	if v.Format == Wide {
		wideLag(&rows, r)
	} else {
		tableLag(&rows, r)
	}
	for line := range strings.Lines(rows.String()) {
		fmt.Fprint(w, "  ", line)
	}
}

func tableLag(w io.Writer, r group.Report) {
	t := newTable(w, "TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "WAITED", "STATUS", "READ BY")
	for _, p := range r.Partitions {
		t.row(p.Topic, strconv.Itoa(int(p.Partition)), offset(p.Committed), offset(p.End), offset(p.Lag), waited(p.Seconds), status(p), readers(p, false))
	}
	t.flush()
}

func wideLag(w io.Writer, r group.Report) {
	t := newTable(w, "TOPIC", "PARTITION", "COMMITTED", "BEGINS", "START", "END", "LAG", "WAITED", "BEHIND", "STATUS", "READ BY")
	for _, p := range r.Partitions {
		t.row(p.Topic, strconv.Itoa(int(p.Partition)), offset(p.Committed), string(p.Begins), offset(p.Start), offset(p.End),
			offset(p.Lag), waited(p.Seconds), waited(p.Behind), status(p), readers(p, true))
	}
	t.flush()
}

// status of a partition of a retry topic says what it is instead.
func status(p group.Partition) string {
	if p.Retry {
		return "retry"
	}
	return string(p.Status)
}

func offset(n int64) string {
	if n == group.NoPosition {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func waited(seconds *float64) string {
	if seconds == nil {
		return "?"
	}
	d := time.Duration(*seconds * float64(time.Second))
	switch {
	case d == 0:
		return "0s"
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func readers(p group.Partition, wide bool) string {
	if len(p.Members) == 0 {
		return "-"
	}
	names := make([]string, len(p.Members))
	for i, m := range p.Members {
		names[i] = reader(m, wide)
	}
	return strings.Join(names, ", ")
}

func reader(m group.Member, wide bool) string {
	text := cmp.Or(m.Instance, m.Client)
	if wide {
		text += " " + m.ID
	}
	return text + " on " + m.Host
}

type groupMoveDocument struct {
	Header
	*group.Move
	Skipped  int64  `json:"skipped"`
	Repeated int64  `json:"repeated"`
	Done     bool   `json:"done"`
	Undo     string `json:"undo,omitempty"` // file of the snapshot that undoes it
}

func (v *View) moveDocument(m *group.Move, done bool, undo string) groupMoveDocument {
	return groupMoveDocument{header("GroupMove"), m, m.Skipped(), m.Repeated(), done, undo}
}

// GroupMove writes what a move would do.
func (v *View) GroupMove(m *group.Move) error {
	return v.answer(v.moveDocument(m, false, ""), func(w io.Writer) { v.groupMove(w, m) }, moveNames(m))
}

// GroupMoved writes that a move was made; people have seen what it does.
func (v *View) GroupMoved(m *group.Move, undo string) error {
	return v.answer(v.moveDocument(m, true, undo), func(w io.Writer) {
		fmt.Fprintf(w, "Done: group %s was moved in %s and read back.\n", diag.Escape(m.Group), partitionsOf(changed(m)))
	}, moveNames(m))
}

// moveNames are the partitions that move.
func moveNames(m *group.Move) []string {
	var names []string
	for _, s := range m.Steps {
		if s.Changed() {
			names = append(names, fmt.Sprintf("partition/%s/%d", s.Topic, s.Partition))
		}
	}
	return names
}

func changed(m *group.Move) int { return len(moveNames(m)) }

func (v *View) groupMove(w io.Writer, m *group.Move) {
	fmt.Fprintf(w, "%s of group %s on cluster %s\n\n", m.Action, diag.Escape(m.Group), diag.Escape(m.Cluster))
	if m.Empty() {
		fmt.Fprintln(w, "Nothing to do: the group is there already.")
		return
	}
	t := newTable(w, "TOPIC", "PARTITION", "FROM", "TO", "RECORDS", "WHY")
	for _, s := range m.Steps {
		if s.Changed() || v.Format == Wide {
			t.row(s.Topic, strconv.Itoa(int(s.Partition)), offset(s.From), offset(s.To), effect(s), s.Why)
		}
	}
	t.flush()
	fmt.Fprintln(w)
	for _, n := range m.Notes {
		fmt.Fprintf(w, "note: %s\n", diag.Escape(n))
	}
	fmt.Fprintf(w, "Move: %s; records skipped: %d, repeated: %d.\n", partitionsOf(changed(m)), m.Skipped(), m.Repeated())
}

// effect is what a step means to records.
func effect(s group.Step) string {
	switch {
	case !s.Changed():
		return "stays"
	case s.To == group.NoPosition:
		return "position removed"
	case s.From == group.NoPosition:
		return "first position"
	case s.Skipped > 0:
		return fmt.Sprintf("%d skipped", s.Skipped)
	case s.Repeated > 0:
		return fmt.Sprintf("%d repeated", s.Repeated)
	case s.From == s.To:
		return "metadata only"
	}
	return "none"
}

func partitionsOf(n int) string {
	if n == 1 {
		return "1 partition"
	}
	return fmt.Sprintf("%d partitions", n)
}
