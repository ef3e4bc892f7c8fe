package up_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/internal/up"
)

// The estate's service reads a topic that others own, on a cluster of another
// alias; each alias has a prefix of its own. It authenticates by certificate, which
// the embedded broker does not know. None of that keeps it from running as its
// contract says.
func TestAServiceOfTheSDKRunsWithNothingButWhatItsContractCallsFor(t *testing.T) {
	t.Parallel()
	r := start(t, up.Config{Dir: "testdata/echo"})
	await(t, r, whichever[up.Ready])
	for i := range 20 {
		await(t, r, func(l up.Line) bool { return l.Text == fmt.Sprintf("heard word %d", i) })
	}
	s := await(t, r, func(s up.Status) bool { return s.Groups[0].Records == 20 })
	if g := s.Groups[0]; g.ID != "svc-echo-dev" || g.Service != "echo" || g.Lag != 0 || g.DeadLetters != 1 {
		t.Errorf("status %+v, want the group of echo without lag and with one dead letter", g)
	}

	planned := await(t, r, whichever[up.Planned]).Plan
	var names []string
	for _, c := range planned.Changes {
		if c.Kind == "topic" {
			names = append(names, c.Name+": "+c.Reasons[0].Text)
		}
	}
	slices.Sort(names)
	want := []string{
		"dev-echo.said.v1: owns echo.said.v1",
		"old-legacy.heard.v1: stands in for a topic that others own",
		"svc-echo-dev.echo.said.v1.dlq: sends dead letters of echo.said.v1",
		"svc-echo-dev.echo.said.v1.retry: retries records of echo.said.v1",
		"svc-echo-dev.legacy.heard.v1.dlq: sends dead letters of legacy.heard.v1",
		"svc-echo-dev.legacy.heard.v1.retry: retries records of legacy.heard.v1",
	}
	if !slices.Equal(names, want) {
		t.Errorf("planned topics\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}

	r.cancel(errInterrupt)
	r.wait(t)
	if got := await(t, r, whichever[up.Stopped]).DeadLetters; !maps.Equal(got, map[string]int64{"echo": 1}) {
		t.Errorf("dead letters at the end %v, want one of echo", got)
	}
}
