package spill_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-go/slipway/internal/spill"
)

// onDisk opens a queue in a directory of the operating system.
func onDisk(dir string, cfg spill.Config) (*spill.Queue, error) {
	folder, err := spill.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	cfg.Folder = folder
	return spill.Open(cfg)
}

// F-46.
func TestADirectoryThatOthersCanReachIsRefused(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	path := func(name string) string { return filepath.Join(base, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(path("open"), 0o700))
	must(os.Chmod(path("open"), 0o777))
	must(os.Symlink(base, path("link")))
	must(os.WriteFile(path("file"), nil, 0o600))
	must(os.Mkdir(path("inside"), 0o700))
	must(os.Symlink("/etc/passwd", filepath.Join(path("inside"), "0000000000000001.log")))
	must(os.Mkdir(path("lockless"), 0o700))
	must(os.Mkdir(filepath.Join(path("lockless"), "lock"), 0o700))
	for _, name := range []string{"open", "link", "file", "inside", "lockless"} {
		if q, err := onDisk(path(name), spill.Config{}); !errors.Is(err, spill.ErrUnsafe) {
			t.Errorf("%s: opened %v, %v, want ErrUnsafe", name, q, err)
		}
	}
	if _, err := onDisk(filepath.Join(path("missing"), "too"), spill.Config{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without its parent: %v", err)
	}
	if os.Geteuid() == 0 {
		must(os.Mkdir(path("foreign"), 0o700))
		must(os.Chown(path("foreign"), 65534, 65534))
		if _, err := onDisk(path("foreign"), spill.Config{}); !errors.Is(err, spill.ErrUnsafe) {
			t.Errorf("of another user: %v", err)
		}
	}
}

// F-46.
func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	q, err := onDisk(dir, spill.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.AppendWait(rec("a"), rec("b")); err != nil {
		t.Fatal(err)
	}
	if err := q.Ack(all(t, q)[0]); err != nil {
		t.Fatal(err)
	}
	modes := map[string]os.FileMode{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		modes[filepath.Ext(e.Name())] = info.Mode()
	}
	if d := cmp.Diff(map[string]os.FileMode{"": 0o600, ".log": 0o600, ".ack": 0o600}, modes); d != "" {
		t.Errorf("modes (-want +got):\n%s", d)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
}

// F-48.
func TestADirectoryHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := onDisk(dir, spill.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onDisk(dir, spill.Config{}); !errors.Is(err, spill.ErrLocked) {
		t.Errorf("second owner: %v, want ErrLocked", err)
	}
	if err := first.AppendWait(rec("still works")); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := onDisk(dir, spill.Config{})
	if err != nil {
		t.Fatalf("after the first has closed: %v", err)
	}
	if got := values(all(t, second)); !slices.Equal(got, []string{"still works"}) {
		t.Errorf("got %v", got)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.AppendWait(rec("late")); !errors.Is(err, spill.ErrClosed) {
		t.Errorf("append to a closed queue: %v", err)
	}
}

// A segment of a later version is not taken for damage: the queue does not open.
func TestASegmentOfALaterVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir, name, _, _ := written(t, 3)
	later := slices.Clone(dir.files[name].data)
	later[7]++
	dir.files[name].data = spill.Reseal(later)
	if _, err := spill.Open(spill.Config{Folder: dir}); err == nil {
		t.Error("opened")
	}
	if !slices.Equal(dir.files[name].data, later) {
		t.Error("the segment was changed")
	}
}

func FuzzSegment(f *testing.F) {
	dir := newMemory()
	q, err := spill.Open(spill.Config{Folder: dir, Sync: spill.SyncNever})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if err := q.AppendWait(rec(fmt.Sprint(i)), spill.Record{Topic: "u"}); err != nil {
			f.Fatal(err)
		}
	}
	q.Close()
	const name = "0000000000000001.log"
	whole := dir.files[name].data
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(whole[:44])
	f.Add([]byte("slpspil1"))
	f.Add(spill.Segment([]byte{0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0}))
	f.Add(spill.Segment(make([]byte, 500)))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := newMemory()
		dir.files[name] = &memoryFile{dir: dir, name: name, data: data}
		q, err := spill.Open(spill.Config{Folder: dir, Sync: spill.SyncNever})
		if err != nil {
			return
		}
		defer q.Close()
		size := 0
		for {
			items, err := q.Next(10, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) == 0 {
				break
			}
			for _, it := range items {
				size += len(it.Topic) + len(it.Key) + len(it.Value)
				if _, err := q.Load(it.Place); err != nil {
					t.Fatal(err)
				}
			}
		}
		if size > len(data) {
			t.Errorf("%d bytes came out of %d", size, len(data))
		}
	})
}

// FuzzBody reads bodies that a checksum does not protect.
func FuzzBody(f *testing.F) {
	f.Add(spill.Body(rec("value")))
	f.Add(spill.Body(spill.Record{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := spill.ParseBody(data)
		if err != nil {
			return
		}
		again, err := spill.ParseBody(spill.Body(r))
		if err != nil || !cmp.Equal(r, again) {
			t.Errorf("%v became %v, %v", r, again, err)
		}
	})
}

// F-49. What a length promises is not allocated before the file is seen to be
// long enough.
func TestReadingTakesNoMoreMemoryThanTwiceTheFile(t *testing.T) {
	for name, data := range map[string][]byte{
		"a length of 2 GiB":  spill.Segment(append([]byte{0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4}, make([]byte, 1<<20)...)),
		"noise":              spill.Segment(noise(1 << 20)),
		"a length too large": spill.Segment(append([]byte{0, 0, 0x20, 0, 1, 2, 3, 4}, make([]byte, 1<<20)...)),
	} {
		const times = 10
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			spill.Scan(data)
		}
		runtime.ReadMemStats(&after)
		used := int64(after.TotalAlloc-before.TotalAlloc) / times
		if used > 2*int64(len(data)) {
			t.Errorf("%s: %d bytes allocated for %d", name, used, len(data))
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}
