package spill_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/spill"
)

func rec(value string) spill.Record {
	return spill.Record{Topic: "t", Key: []byte("k"), Value: []byte(value)}
}

func TestRecordsComeBackAsTheyWereAppended(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 123)
	want := []spill.Record{
		{Topic: "a", Key: nil, Value: nil},
		{Topic: "a", Key: []byte{}, Value: []byte{}},
		{Topic: "", Key: []byte("k"), Value: nil, Time: now},
		{Topic: "long", Value: bytes.Repeat([]byte("x"), 300_000), Due: now.Add(time.Hour)},
		{Topic: "h", Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "", Value: nil}, {Key: "a", Value: []byte{}}, {Key: "a", Value: []byte("b")}}},
		{Topic: "t", Time: time.Unix(0, 0), Due: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	folder, err := spill.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	q := open(t, spill.Config{Folder: folder, SegmentBytes: 1 << 10, Sync: spill.SyncNever})
	for _, r := range want {
		if err := q.AppendWait(r); err != nil {
			t.Fatal(err)
		}
	}
	var got []spill.Record
	for _, it := range all(t, q) {
		again, err := q.Load(it.Place)
		if err != nil || !cmp.Equal(again.Value, it.Value) {
			t.Errorf("Load = %v, %v", again, err)
		}
		got = append(got, it.Record)
	}
	want[5].Due = time.Unix(0, 1<<63-1) // the last that fits
	if d := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); d != "" {
		t.Errorf("records differ (-want +got):\n%s", d)
	}
}

// What was appended and not acknowledged comes again at the next opening, what
// was acknowledged does not, and files go away with what is in them.
func TestOnlyWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	t.Parallel()
	dir := newMemory()
	q := open(t, spill.Config{Folder: dir, SegmentBytes: 300})
	for i := range 40 {
		if err := q.AppendWait(rec(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	items := all(t, q)
	for _, i := range []int{0, 1, 2, 3, 4, 5, 6, 9, 30} {
		if err := q.Ack(items[i], items[i]); err != nil { // twice is once
			t.Fatal(err)
		}
	}
	if got := q.Len(); got != 31 {
		t.Errorf("Len() = %d, want 31", got)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, spill.Config{Folder: dir, SegmentBytes: 300})
	items = all(t, q)
	var want []string
	for i := range 40 {
		if !slices.Contains([]int{0, 1, 2, 3, 4, 5, 6, 9, 30}, i) {
			want = append(want, fmt.Sprint(i))
		}
	}
	if d := cmp.Diff(want, values(items)); d != "" {
		t.Errorf("values differ (-want +got):\n%s", d)
	}
	if err := q.Ack(items...); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if len(dir.files) > 0 {
		t.Errorf("%d files are left of a queue that is empty", len(dir.files))
	}
}

func TestAppendsOfManyKeepTheirOrderAndShareTheirSyncs(t *testing.T) {
	t.Parallel()
	dir := newMemory()
	syncs := 0
	dir.before = func(op, _ string) (int, error) {
		if op == "sync" {
			syncs++
		}
		return 0, nil
	}
	q := open(t, spill.Config{Folder: dir})
	var order []int
	var all sync.WaitGroup
	const n = 2000
	all.Add(n)
	for i := range n {
		q.Append([]spill.Record{rec(fmt.Sprint(i))}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			order = append(order, i)
			all.Done()
		})
	}
	all.Wait()
	if !slices.IsSorted(order) {
		t.Error("done was not called in the order of the appends")
	}
	if syncs >= n {
		t.Errorf("%d syncs for %d appends", syncs, n)
	}
}

// The cap is back-pressure: nothing that waits is given up for what comes.
func TestAFullQueueTakesNoMoreUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	q := open(t, spill.Config{Folder: newMemory(), MaxBytes: 4 << 10})
	appended := 0
	var err error
	for err == nil {
		if err = q.AppendWait(rec(fmt.Sprint(appended))); err == nil {
			appended++
		}
	}
	if !errors.Is(err, spill.ErrFull) {
		t.Fatalf("AppendWait() = %v, want ErrFull", err)
	}
	if st := q.Stats(); st.Bytes > 4<<10 || st.Records != appended {
		t.Errorf("stats = %+v with %d appended", st, appended)
	}
	items := all(t, q)
	if len(items) != appended {
		t.Fatalf("%d came back of %d", len(items), appended)
	}
	if err := q.Ack(items...); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 { // however small the cap, what is acknowledged makes room
		if err := q.AppendWait(rec("again")); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
		if err := q.Ack(all(t, q)...); err != nil {
			t.Fatal(err)
		}
	}
}

// F-45. Nothing is acknowledged that failed, the error says what it was, a file
// is never used again after its fsync has failed, and the queue goes on once the
// disk does.
func TestAFailingDiskIsToldAndOutlived(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"write", "sync", "create", "syncdir"} {
		for name, cause := range diskErrors {
			t.Run(op+" "+name, func(t *testing.T) {
				t.Parallel()
				dir := newMemory()
				q := open(t, spill.Config{Folder: dir, SegmentBytes: 200})
				var want []string
				add := func(v string) error {
					err := q.AppendWait(rec(v))
					if err == nil {
						want = append(want, v)
					}
					return err
				}
				for i := range 5 {
					if err := add(fmt.Sprint("before ", i)); err != nil {
						t.Fatal(err)
					}
				}
				on := true
				dir.set(failing(op, cause, &on))
				failed := 0
				for i := range 10 {
					if err := add(fmt.Sprint("during ", i)); err != nil {
						failed++
						if !errors.Is(err, cause) {
							t.Errorf("AppendWait() = %v, want %v", err, cause)
						}
					}
				}
				if failed == 0 {
					t.Error("nothing failed")
				}
				dir.set(nil)
				for i := range 5 {
					if err := add(fmt.Sprint("after ", i)); err != nil {
						t.Fatal(err)
					}
				}
				if d := cmp.Diff(want, values(all(t, q))); d != "" {
					t.Errorf("values differ (-want +got):\n%s", d)
				}
				for _, f := range dir.files {
					if f.abused {
						t.Errorf("%s was used after a failed fsync", f.name)
					}
				}
				q.Close()
				q = open(t, spill.Config{Folder: dir.killed(), SegmentBytes: 200, Report: func(d spill.Damage) {
					if !d.Torn {
						t.Errorf("reported %v", d)
					}
				}})
				got := values(all(t, q))
				if d := cmp.Diff(want, slices.DeleteFunc(got, func(v string) bool { return !slices.Contains(want, v) })); d != "" {
					t.Errorf("after a restart values differ (-want +got):\n%s", d)
				}
			})
		}
	}
}

func (m *memory) set(before func(string, string) (int, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = before
}

// With an fsync at intervals a record is accepted before it is on disk. When the
// fsync fails, it goes into a new file, and is on disk after the next one.
func TestAFailedIntervalSyncIsMadeGoodInANewFile(t *testing.T) {
	t.Parallel()
	dir := newMemory()
	failed := make(chan struct{}, 100)
	healed := make(chan struct{}, 100)
	broken := true
	dir.before = func(op, _ string) (int, error) {
		switch {
		case op != "sync":
		case broken:
			failed <- struct{}{}
			return 0, syscall.EIO
		default:
			healed <- struct{}{}
		}
		return 0, nil
	}
	q := open(t, spill.Config{Folder: dir, Sync: spill.SyncInterval, Interval: time.Millisecond})
	for i := range 10 {
		if err := q.AppendWait(rec(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	first, err := q.Next(3, 1<<20)
	if err != nil || len(first) != 3 {
		t.Fatalf("Next() = %v, %v", values(first), err)
	}
	for range 4 { // several intervals
		<-failed
	}
	dir.mu.Lock()
	broken = false
	dir.mu.Unlock()
	<-healed
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range dir.files {
		if f.abused {
			t.Errorf("%s was used after a failed fsync", f.name)
		}
	}
	after := open(t, spill.Config{Folder: dir.unplugged(rand.New(rand.NewPCG(1, 2)))})
	got := values(all(t, after))
	for i := 3; i < 10; i++ { // what was read already may be lost with the power
		if !slices.Contains(got, fmt.Sprint(i)) {
			t.Errorf("record %d is lost, have %v", i, got)
		}
	}
}
