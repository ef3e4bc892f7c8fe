package view_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/up"
	"github.com/slipway-go/slipway/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// events are a run in which everything happens.
var events = []up.Event{
	up.Note{Text: "removed what an earlier run left behind"},
	up.Warned{Diagnostic: diag.Warn(diag.EstateNoWriter, "nobody writes a.b.v1")},
	up.Building{Services: []string{"inventory", "orders"}},
	up.Built{Service: "orders", Took: time.Second},
	up.ClusterStarted{Cluster: "embedded", Bootstrap: "127.0.0.1:9092", Registry: "https://127.0.0.1:8081", Took: 21 * time.Millisecond},
	up.Planned{Plan: &plan.Plan{Env: "dev", Changes: []plan.Change{
		{Action: plan.Create, Kind: plan.KindTopic, Name: "orders.created.v1", Service: "orders", Reasons: []plan.Reason{{Service: "orders", Text: "owns orders.created.v1"}}},
		{Action: plan.Create, Kind: plan.KindUser, Name: "svc-inventory-dev", Service: "inventory", Reasons: []plan.Reason{{Service: "inventory", Text: "logs in with scram-sha-512"}}},
	}}},
	up.Applied{Change: plan.Change{Action: plan.Create, Kind: plan.KindTopic, Name: "orders.created.v1"}},
	up.Applied{Change: plan.Change{Action: plan.Create, Kind: plan.KindUser, Name: "svc-inventory-dev", Class: plan.Safe}, Err: errors.New("refused")},
	up.ServiceStarted{Service: "orders", PID: 12, URL: "http://127.0.0.1:8080", Admin: "127.0.0.1:40001"},
	up.ServiceStarted{Service: "inventory", PID: 13},
	up.Line{Service: "orders", Text: "service started\x1b[2J"},
	up.ServiceDied{Service: "inventory", Reason: "exit status 1", Ran: 1500 * time.Millisecond, Pause: time.Second},
	up.ServiceStarted{Service: "inventory", PID: 14, Restart: 1},
	up.ServiceDied{Service: "inventory", Reason: "signal: killed", Ran: time.Minute},
	up.Ready{Took: 830 * time.Millisecond, Total: 4260 * time.Millisecond},
	up.CommandStarted{Command: []string{"go", "run", "./drive"}},
	up.Status{Groups: []up.Group{{Service: "inventory", Records: 120, Rate: 60, Lag: 3}, {Service: "orders", Records: 7, DeadLetters: 2}, {Service: "mail", Records: 1, DeadLetters: 1}}, Flowing: true},
	up.Away{Diagnostic: diag.Warn(diag.UpAway, "the registry does not answer").WithFix("wait")},
	up.Back{What: "the registry"},
	up.Status{Groups: []up.Group{{Service: "inventory", Records: 123}, {Service: "orders", Records: 7}}},
	up.CommandEnded{Status: 0, Took: 12 * time.Second},
	up.Stopping{},
	up.Waiting{Service: "inventory"},
	up.Waiting{Service: "inventory", Asked: true},
	up.ServiceStopped{Service: "orders", Took: 20 * time.Millisecond},
	up.ServiceStopped{Service: "inventory", Took: 20 * time.Second, Killed: true},
	up.Warned{Diagnostic: diag.Warn(diag.UpKilled, "inventory did not stop within 20s and was killed")},
	up.Stopped{Took: 340 * time.Millisecond, DeadLetters: map[string]int64{"orders": 2, "mail": 1}},
}

func show(live bool) string {
	var out bytes.Buffer
	v := view.View{}
	r := v.Run(&out, live)
	for _, e := range events {
		r.Show(e)
	}
	return out.String()
}

func TestARunIsToldLineByLine(t *testing.T) {
	t.Parallel()
	golden(t, "run.txt", show(false))
}

func TestOneThingIsCreatedInTheSingular(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := view.View{}
	v.Run(&out, false).Show(up.Planned{Plan: &plan.Plan{Env: "dev", Changes: []plan.Change{{Action: plan.Create, Kind: plan.KindTopic, Name: "a.b.v1"}}}})
	if !strings.HasPrefix(out.String(), "creating 1 thing in environment dev:\n") {
		t.Errorf("told %q", out.String())
	}
}

// On a terminal the status is one line at the bottom: what comes next takes
// its place, and nothing else moves the cursor.
func TestATerminalHasOneStatusLine(t *testing.T) {
	t.Parallel()
	got := show(true)
	if n := strings.Count(got, "\r\x1b[K"); n != 2 {
		t.Errorf("the status line was taken away %d times, want 2", n)
	}
	if n := strings.Count(got, "\x1b"); n != 2 {
		t.Errorf("%d escapes, want 2:\n%q", n, got)
	}
	if !strings.Contains(got, "orders 7 records, 0/s, lag 0\r\x1b[Kcommand ended") {
		t.Errorf("the last status was not written over:\n%q", got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
