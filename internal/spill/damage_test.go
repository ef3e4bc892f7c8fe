package spill_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/spill"
)

// written is a directory with one segment of n records, and where its frames
// begin, the file's end last.
func written(t *testing.T, n int) (*memory, string, []string, []int) {
	t.Helper()
	dir := newMemory()
	q := open(t, spill.Config{Folder: dir})
	var want []string
	var starts []int
	for i := range n {
		if err := q.AppendWait(rec(fmt.Sprintf("value %d", i))); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("value %d", i))
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	name := slices.Collect(maps.Keys(dir.files))[0]
	data := dir.files[name].data
	size := bytes.Index(data, []byte(want[1])) - bytes.Index(data, []byte(want[0])) // all are equally long
	for i := range n {
		starts = append(starts, len(data)-(n-i)*size)
	}
	return dir, name, want, append(starts, len(data))
}

// recovered opens a damaged directory, checks that the queue still works and
// that no byte was deleted, and returns what came back.
func recovered(t *testing.T, dir *memory, name string, bad []byte) ([]string, []spill.Damage) {
	t.Helper()
	var found []spill.Damage
	cfg := spill.Config{Folder: dir, Report: func(d spill.Damage) { found = append(found, d) }}
	q := open(t, cfg)
	if err := q.AppendWait(rec("new")); err != nil {
		t.Fatal(err)
	}
	items := all(t, q)
	if err := q.Ack(items...); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	kept := []byte(nil)
	if f := dir.files[strings.TrimSuffix(name, ".log")+".bad"]; f != nil {
		kept = f.data
	}
	if !bytes.Equal(kept, bad) {
		t.Fatalf("%d bytes were set aside, want the %d bad ones", len(kept), len(bad))
	}
	got := values(items)
	if len(got) == 0 || got[len(got)-1] != "new" {
		t.Fatalf("the queue did not go on: %v", got)
	}
	return got[:len(got)-1], found
}

// F-43.
func TestATornEndCostsNothingBeforeIt(t *testing.T) {
	t.Parallel()
	dir, name, want, starts := written(t, 8)
	data := dir.files[name].data
	for cut := starts[5]; cut < len(data); cut++ {
		torn := dir.killed()
		torn.files[name].data = slices.Clone(data[:cut])
		whole := 5
		for whole < 8 && starts[whole+1] <= cut {
			whole++
		}
		got, found := recovered(t, torn, name, data[starts[whole]:cut])
		if d := cmp.Diff(want[:whole], got); d != "" {
			t.Fatalf("cut at %d (-want +got):\n%s", cut, d)
		}
		if clean := cut == starts[whole]; clean == (len(found) > 0) {
			t.Fatalf("cut at %d: reported %v", cut, found)
		}
	}
}

// F-43.
func TestAFlippedBitIsNeverDelivered(t *testing.T) {
	t.Parallel()
	dir, name, want, starts := written(t, 6)
	data := dir.files[name].data
	for bit := starts[3] * 8; bit < starts[4]*8; bit++ {
		flipped := dir.killed()
		bad := slices.Clone(data)
		bad[bit/8] ^= 1 << (bit % 8)
		flipped.files[name].data = bad
		got, found := recovered(t, flipped, name, bad[starts[3]:])
		if d := cmp.Diff(want[:3], got); d != "" {
			t.Fatalf("bit %d (-want +got):\n%s", bit, d)
		}
		if len(found) != 1 {
			t.Fatalf("bit %d: reported %v", bit, found)
		}
	}
}

func TestASegmentWithADamagedHeadIsSetAside(t *testing.T) {
	t.Parallel()
	dir, name, _, starts := written(t, 3)
	data := dir.files[name].data
	for at := range starts[0] {
		if at == 7 {
			continue // the version, below
		}
		flipped := dir.killed()
		bad := slices.Clone(data)
		bad[at] ^= 0x10
		flipped.files[name].data = bad
		if got, found := recovered(t, flipped, name, bad); len(got) != 0 || len(found) != 1 {
			t.Fatalf("byte %d: got %v, reported %v", at, got, found)
		}
	}
}

// Damage that comes while the queue is open is found when it is read.
func TestDamageOfAnOpenQueueIsFoundWhenItIsRead(t *testing.T) {
	t.Parallel()
	dir := newMemory()
	var found []spill.Damage
	q := open(t, spill.Config{Folder: dir, Report: func(d spill.Damage) { found = append(found, d) }})
	for i := range 10 {
		if err := q.AppendWait(rec(fmt.Sprintf("value %d", i))); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range dir.files {
		f.data[bytes.Index(f.data, []byte("value 6"))] ^= 1
	}
	got := values(all(t, q))
	if len(got) != 6 || len(found) != 1 || q.Len() != 6 {
		t.Fatalf("read %v, reported %v, %d wait", got, found, q.Len())
	}
	for i := range 3 { // in a file of their own
		if err := q.AppendWait(rec(fmt.Sprint("new ", i))); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"new 0", "new 1", "new 2"}, values(all(t, q))); d != "" {
		t.Errorf("values differ (-want +got):\n%s", d)
	}
	if q.Stats().Quarantined == 0 {
		t.Error("nothing is quarantined")
	}
}

// A frame of one file is nothing in another, or elsewhere in its own.
func TestAFrameCountsOnlyWhereItWasWritten(t *testing.T) {
	t.Parallel()
	dir, name, want, starts := written(t, 6)
	data := slices.Clone(dir.files[name].data)
	copy(data[starts[4]:starts[5]], data[starts[2]:starts[3]])
	moved := dir.killed()
	moved.files[name].data = data
	got, _ := recovered(t, moved, name, data[starts[4]:])
	if d := cmp.Diff(want[:4], got); d != "" {
		t.Errorf("values differ (-want +got):\n%s", d)
	}
}
