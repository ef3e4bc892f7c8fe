package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/up"
	"github.com/slipway-go/slipway/plan"
)

// A Run tells of a run of slipway up as it goes on. It may be called from
// several goroutines.
type Run struct {
	view *View
	w    io.Writer
	live bool // w is a terminal: the status is one line that is written over

	mu     sync.Mutex
	status bool // a status stands on the terminal's last line
	width  int  // of the longest service name
}

// Run returns a view of a run that writes to w, which is a terminal if live.
func (v *View) Run(w io.Writer, live bool) *Run {
	return &Run{view: v, w: w, live: live}
}

// Show tells an event.
func (r *Run) Show(e up.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := e.(type) {
	case up.Status:
		r.flow(e)
	case up.Line:
		r.say("%-*s | %s", r.width, e.Service, e.Text)
	case up.Warned:
		r.problem(e.Diagnostic)
	case up.Away:
		r.problem(e.Diagnostic)
	case up.Planned:
		r.planned(e.Plan)
	default:
		r.milestone(e)
	}
}

// milestone tells what happens once, or seldom.
func (r *Run) milestone(e up.Event) {
	switch e := e.(type) {
	case up.Note:
		r.say("%s", e.Text)
	case up.Building:
		for _, s := range e.Services {
			r.width = max(r.width, len(s))
		}
		r.say("building %s", enumerate(e.Services, "service"))
	case up.ClusterStarted:
		r.say("cluster %s is up after %s: brokers %s, registry %s", e.Cluster, short(e.Took), e.Bootstrap, e.Registry)
	case up.Applied:
		if e.Err != nil {
			r.say("failed: %s %s %s", e.Change.Action, e.Change.Kind, e.Change.Name)
		}
	case up.ServiceStarted:
		r.service(e)
	case up.ServiceDied:
		r.died(e)
	case up.Ready:
		r.say("ready: everything consumes, %s after the build (%s in all)", short(e.Took), short(e.Total))
	case up.Back:
		r.say("%s answers again", e.What)
	case up.CommandStarted:
		r.say("running %s", strings.Join(e.Command, " "))
	case up.CommandEnded:
		r.say("command ended with status %d after %s", e.Status, short(e.Took))
	case up.Stopping:
		r.say("stopping")
	case up.Waiting:
		again := "twice" // the first one is not heard yet
		if e.Asked {
			again = "again"
		}
		r.say("waiting for %s (Ctrl-C %s kills)", e.Service, again)
	case up.Stopped:
		r.deadLetters(e.DeadLetters)
		r.say("stopped after %s; nothing is left running", short(e.Took))
	}
}

func (r *Run) service(e up.ServiceStarted) {
	where := ""
	if e.URL != "" {
		where = " at " + e.URL
	}
	if e.Admin != "" {
		where += ", to be operated at http://" + e.Admin
	}
	if e.Restart > 0 {
		r.say("%s started again (pid %d)%s", e.Service, e.PID, where)
		return
	}
	r.say("%s started (pid %d)%s", e.Service, e.PID, where)
}

func (r *Run) died(e up.ServiceDied) {
	next := "not started again"
	if e.Pause > 0 {
		next = "starting it again in " + short(e.Pause)
	}
	r.say("%s ended after %s (%s): %s", e.Service, short(e.Ran), e.Reason, next)
}

// planned tells what will be created and why, a line each.
func (r *Run) planned(p *plan.Plan) {
	s := p.Summary()
	r.say("creating %s in environment %s:", count(s.Create+s.Update, "thing"), p.Env)
	byService := map[string][]plan.Change{}
	for _, c := range p.Changes {
		byService[c.Service] = append(byService[c.Service], c)
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(byService)) {
		for _, c := range byService[name] {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", diag.Escape(name), c.Kind, diag.Escape(c.Name), because(c.Reasons))
		}
	}
	_ = t.Flush()
	r.write(b.String())
}

func because(reasons []plan.Reason) string {
	told := make([]string, len(reasons))
	for i, one := range reasons {
		told[i] = diag.Escape(one.Text)
	}
	return strings.Join(told, ", ")
}

// flow tells how far every group has come, while records flow.
func (r *Run) flow(s up.Status) {
	if !s.Flowing && !r.live {
		return
	}
	var parts []string
	for _, g := range s.Groups {
		part := fmt.Sprintf("%s %s, %d/s, lag %d", g.Service, count(int(g.Records), "record"), g.Rate, g.Lag)
		if g.DeadLetters > 0 {
			part += ", " + count(int(g.DeadLetters), "dead letter")
		}
		parts = append(parts, part)
	}
	line := diag.Escape(strings.Join(parts, " · "))
	if !r.live {
		r.write(line + "\n")
		return
	}
	r.clear()
	_, _ = io.WriteString(r.w, line)
	r.status = true
}

// deadLetters tells what the run leaves nobody a chance to look at.
func (r *Run) deadLetters(byService map[string]int64) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(byService)) {
		parts = append(parts, name+" "+count(int(byService[name]), "dead letter"))
	}
	if len(parts) > 0 {
		r.say("written in this run: %s", strings.Join(parts, ", "))
	}
}

func (r *Run) say(format string, args ...any) {
	r.write(diag.Escape(fmt.Sprintf(format, args...)) + "\n")
}

func (r *Run) problem(d diag.Diagnostic) {
	var b strings.Builder
	r.view.problem(&b, d)
	r.write(b.String())
}

// write puts text above the status line. A terminal that is gone is no reason
// to end a run.
func (r *Run) write(text string) {
	r.clear()
	_, _ = io.WriteString(r.w, text)
}

// clear takes the status line away.
func (r *Run) clear() {
	if r.status {
		_, _ = io.WriteString(r.w, "\r\x1b[K")
		r.status = false
	}
}

// short is a time as people say it.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
