package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/slipwaytest/history"
)

// everyKind is one event of each kind, every field set.
func everyKind() []history.Event {
	at := time.Date(2026, 11, 21, 12, 0, 0, 1, time.UTC)
	place := history.Place{Partition: 2, Offset: 7}
	return []history.Event{
		history.Send{ID: "1", Topic: "a", Key: "k", Seq: 3, Outcome: history.OK, Place: &place},
		history.Read{ID: "1", Topic: "a", Key: "k", Place: place, Reader: "r"},
		history.Effect{ID: "1", Topic: "a", Group: "g", Outcome: history.Dead, Start: at, End: at.Add(1), Worker: "w", Place: &place},
		history.Commit{Group: "g", Topic: "a", Partition: 2, Offset: 8, At: at, Outcome: history.Failed, Worker: "w"},
		history.Assign{Group: "g", Worker: "w", Topic: "a", Partition: 2, At: at},
		history.Revoke{Group: "g", Worker: "w", Topic: "a", Partition: 2, At: at},
		history.Fault{Name: "kill", Start: at, End: at.Add(1)},
		history.Final{Topic: "a", Group: "g", AtLeastOnce: true},
	}
}

func TestWhatIsRecordedIsReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	rec := history.NewRecorder(f)
	for _, e := range everyKind() {
		rec.Add(e)
	}
	if err := rec.Err(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path) // before the file is closed: Add does not buffer
	if err != nil {
		t.Fatal(err)
	}
	got, err := history.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everyKind(), got); diff != "" {
		t.Errorf("read back with differences:\n%s", diff)
	}
	if diff := cmp.Diff(rec.Events(), got); diff != "" {
		t.Errorf("file and memory differ:\n%s", diff)
	}
}

func TestATornLastLineIsReportedAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	whole := lines(t)
	for cut := 1; cut < len(whole); cut++ {
		text := whole[:cut]
		complete := strings.Count(text, "\n")
		torn := !strings.HasSuffix(text, "\n") && !json.Valid([]byte(text[strings.LastIndex(text, "\n")+1:]))
		if !torn && !strings.HasSuffix(text, "\n") {
			complete++ // only the newline is missing
		}
		got, err := history.Parse(strings.NewReader(text))
		if errors.Is(err, history.ErrTorn) != torn || !torn && err != nil {
			t.Errorf("cut at %d: error is %v, torn is %v", cut, err, torn)
		}
		if len(got) != complete {
			t.Errorf("cut at %d: %d events, want %d", cut, len(got), complete)
		}
	}
}

func TestParseRefusesWhatItCouldMisread(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"unknown kind":       {`{"sent":{"id":"1"}}`, `line 2: json: unknown field "sent"`},
		"unknown field":      {`{"send":{"ident":"1"}}`, `line 2: json: unknown field "ident"`},
		"two events":         {`{"send":{"id":"1"},"read":{"id":"1"}}`, "line 2: 2 events in one line, want 1"},
		"no event":           {`{}`, "line 2: 0 events in one line, want 1"},
		"two values":         {`{"final":{"topic":"a"}} {"final":{"topic":"a"}}`, "line 2: more than one value"},
		"torn in the middle": {`{"send":{"id"`, "line 2: unexpected EOF"},
		"no history at all":  {strings.Repeat("x", 2<<20), "line 2 is longer than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := `{"final":{"topic":"a"}}` + "\n"
			got, err := history.Parse(strings.NewReader(first + tt.text + "\n" + first))
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, history.ErrTorn) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
			if len(got) != 1 {
				t.Errorf("%d events before the broken line, want 1", len(got))
			}
		})
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestAWriteErrorStaysAndMemoryGoesOn(t *testing.T) {
	t.Parallel()
	rec := history.NewRecorder(&failing{after: 1})
	for range 3 {
		rec.Add(history.Final{Topic: "a"})
	}
	if err := rec.Err(); err == nil || err.Error() != "write history: disk full" {
		t.Errorf("error is %v", err)
	}
	if n := len(rec.Events()); n != 3 {
		t.Errorf("%d events in memory, want 3", n)
	}
}

func TestBeginOrdersHandlersEvenWhereTimeStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var rec history.Recorder
		for n := range 2 {
			rec.Add(history.Send{ID: string(rune('1' + n)), Topic: "a", Key: "k", Seq: int64(n + 1), Outcome: history.OK})
		}
		rec.Add(history.Final{Topic: "a", Group: "g"})
		handle := func(id string) func(history.Outcome) {
			return rec.Begin(history.Effect{ID: id, Topic: "a", Group: "g"})
		}
		sound := rec.Events()

		handle("1")(history.OK)
		handle("2")(history.OK)
		if v := history.Check(rec.Events()); !v.OK() || v.Counts.Effects != 4 {
			t.Errorf("one after the other does not pass:\n%v", v)
		}

		rec = history.Recorder{}
		for _, e := range sound {
			rec.Add(e)
		}
		first, second := handle("1"), handle("2")
		second(history.OK)
		first(history.OK)
		if v := history.Check(rec.Events()); v.Count(history.KeyOverlap) != 1 {
			t.Errorf("two at once are not seen:\n%v", v)
		}
	})
}

func TestARecorderTakesEventsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	rec := history.NewRecorder(&buf)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				rec.Begin(history.Effect{ID: "1", Topic: "a", Group: "g"})(history.Failed)
			}
		})
	}
	wg.Wait()
	got, err := history.Parse(&buf)
	if err != nil || len(got) != 1600 {
		t.Errorf("%d events and error %v, want 1600 and none", len(got), err)
	}
}

func lines(t testing.TB) string {
	t.Helper()
	var buf bytes.Buffer
	rec := history.NewRecorder(&buf)
	for _, e := range everyKind() {
		rec.Add(e)
	}
	if err := rec.Err(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(lines(f)))
	f.Add([]byte(lines(f)[:100]))
	f.Add([]byte(`{"send":{"id":"1","topic":"a","seq":9223372036854775807,"place":{"partition":-1,"offset":-1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := history.Parse(bytes.NewReader(data))
		v := history.Check(events)
		if v.OK() && v.Counts.Sends == 0 {
			t.Errorf("nothing was sent and the verdict is %v", v)
		}
		if err != nil && len(events) == 0 {
			return
		}
		var buf bytes.Buffer
		rec := history.NewRecorder(&buf)
		for _, e := range events {
			rec.Add(e)
		}
		if err := rec.Err(); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := history.Parse(&buf)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(history.Check(events), history.Check(again)); diff != "" {
			t.Errorf("the verdict changes on its way through a file:\n%s", diff)
		}
	})
}
