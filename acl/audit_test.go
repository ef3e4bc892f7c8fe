package acl_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-go/slipway/acl"
)

func TestAnAuditCountsEveryLine(t *testing.T) {
	t.Parallel()
	at := func(clock, line string) string {
		return "[2026-11-21 " + clock + ",000] INFO " + line + " (kafka.authorizer.logger)\n"
	}
	group := "Principal = User:b is Denied operation = READ from host = 10.0.0.%d on resource = Group:LITERAL:g for request = JoinGroup with resourceRefCount = 1 based on rule %s"
	log := at("18:00:05", decision) + at("18:00:01", strings.Replace(decision, "10.0.0.7", "10.0.0.6", 1)) + at("18:00:09", strings.Replace(decision, "Fetch", "ListOffsets", 1)) +
		at("18:00:02", fmt.Sprintf(group, 1, "DefaultDeny")) + at("18:00:03", fmt.Sprintf(group, 1, "MatchingAcl(acl=…)")) +
		at("18:00:04", strings.Replace(decision, "Denied", "Allowed", 1)) +
		"[2026-11-21 18:00:04,000] INFO Loaded 3 logs (kafka.log.LogManager)\n" +
		"Principal = User:svc-s-dev is Denied oper\n\nat the end, without a line's end"
	var got acl.Audit
	if err := got.Read(t.Context(), iotest.OneByteReader(strings.NewReader(log))); err != nil {
		t.Fatal(err)
	}
	want := acl.Audit{Lines: 10, Denied: 5, Allowed: 1, Other: 3, Unknown: 1, FirstUnknown: "line 8: Principal = User:svc-s-dev is Denied oper"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(acl.Audit{})); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	when := func(second int) time.Time { return time.Date(2026, 11, 21, 18, 0, second, 0, time.UTC) }
	denials := []acl.Denial{
		{
			Principal: "User:svc-s-dev", Operation: acl.Read, ResourceType: acl.Topic, Name: "orders.created.v1", Count: 3,
			First: when(1), Last: when(9), Requests: []string{"Fetch", "ListOffsets"}, Hosts: []string{"10.0.0.6", "10.0.0.7"},
		},
		{
			Principal: "User:b", Operation: acl.Read, ResourceType: acl.Group, Name: "g", Count: 1,
			First: when(2), Last: when(2), Requests: []string{"JoinGroup"}, Hosts: []string{"10.0.0.1"},
		},
		{
			Principal: "User:b", Operation: acl.Read, ResourceType: acl.Group, Name: "g", Count: 1,
			First: when(3), Last: when(3), Requests: []string{"JoinGroup"}, Hosts: []string{"10.0.0.1"}, Explicit: true,
		},
	}
	if diff := cmp.Diff(denials, got.Denials()); diff != "" {
		t.Errorf("denials (-want +got):\n%s", diff)
	}
}

// A flood is a log of so many lines, each about a group of its own.
type flood struct {
	lines, width int
	rest         string
}

func (f *flood) Read(p []byte) (int, error) {
	if f.rest == "" {
		if f.lines == 0 {
			return 0, io.EOF
		}
		f.lines--
		f.rest = fmt.Sprintf("[2026-11-21 18:03:34,123] INFO Principal = User:a is Denied operation = READ from host = 10.0.0.7 on resource = Group:LITERAL:%0*d for request = JoinGroup with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)\n", f.width, f.lines)
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// TestAnAuditsMemoryIsBoundedWhateverClientsCallTheirGroups does not run beside
// others, which would be measured with it.
func TestAnAuditsMemoryIsBoundedWhateverClientsCallTheirGroups(t *testing.T) {
	for name, f := range map[string]*flood{"short names": {lines: 50_000, width: 20}, "long names": {lines: 3_000, width: 32_000}} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		lines := int64(f.lines)
		var a acl.Audit
		if err := a.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		held := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
		if a.Denied != lines || a.Beyond+int64(len(a.Denials())) != lines || len(a.Denials()) > acl.MaxDenials {
			t.Errorf("%s: %d denied, %d told apart and %d not, of %d", name, a.Denied, len(a.Denials()), a.Beyond, lines)
		}
		if held > 32 {
			t.Errorf("%s: %d MiB are held", name, held)
		}
		t.Logf("%s: %d denials, %d told apart, %d MiB held", name, a.Denied, len(a.Denials()), held)
		runtime.KeepAlive(&a)
	}
}

func TestALineThatNeverEndsIsOneLine(t *testing.T) {
	t.Parallel()
	long := decision + strings.Repeat("x", 3*acl.MaxAuditLine) + "\n"
	var a acl.Audit
	if err := a.Read(t.Context(), strings.NewReader(long+decision+"\n"+strings.Repeat("y", 2*acl.MaxAuditLine))); err != nil {
		t.Fatal(err)
	}
	if a.Lines != 3 || a.Denied != 1 || a.Unknown != 1 || a.Other != 1 || len(a.FirstUnknown) > 400 {
		t.Errorf("%+v", a)
	}
}

func TestAnAuditStopsWhereItsLogDoes(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var a acl.Audit
	if err := a.Read(t.Context(), io.MultiReader(strings.NewReader(decision+"\n"), iotest.ErrReader(broken))); !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 2") || a.Denied != 1 {
		t.Errorf("%v after %+v", err, a)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	var b acl.Audit
	if err := b.Read(ctx, &flood{lines: 1_000_000, width: 20}); !errors.Is(err, broken) || b.Lines > 1000 {
		t.Errorf("%v after %d lines", err, b.Lines)
	}
}

// BenchmarkAudit reads a log whose every line is a denial.
func BenchmarkAudit(b *testing.B) {
	line := []byte("[2026-11-21 18:03:34,123] INFO " + decision + " (kafka.authorizer.logger)\n")
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, ok := acl.ParseAttempt(line); !ok {
			b.Fatal("not understood")
		}
	}
}
