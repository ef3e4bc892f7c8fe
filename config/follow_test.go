package config_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-go/slipway/config"
	"github.com/slipway-go/slipway/diag"
)

// shelf is a source whose content a test changes.
type shelf struct {
	mu    sync.Mutex
	mode  string
	err   error
	loads int
}

func (s *shelf) Name() string { return "vault" }

func (s *shelf) Load(context.Context) ([]config.Given, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	if s.mode == "" {
		return nil, s.err
	}
	return []config.Given{{Key: "pay.mode", Text: s.mode}}, s.err
}

func (s *shelf) put(mode string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode, s.err = mode, err
}

// following runs Follow in a bubble and returns what it told, as text, when
// asked.
func following(t *testing.T, l *config.Loader) (told func() []string, stop func()) {
	t.Helper()
	now, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []string
	var within atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	var follower sync.WaitGroup
	follower.Go(func() {
		err := l.Follow(ctx, now, func(v *config.Values, err error) {
			if within.Swap(true) {
				t.Error("apply is called while it runs")
			}
			defer within.Store(false)
			if ctx.Err() != nil {
				t.Error("apply is called after the end")
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				all = append(all, "error "+string(diag.Of(err)[0].Code))
			case len(v.Warnings()) > 0:
				all = append(all, v.Text("pay.mode")+" warning "+string(v.Warnings()[0].Code))
			default:
				all = append(all, v.Text("pay.mode"))
			}
		})
		if err != nil {
			t.Errorf("Follow returns %v", err)
		}
	})
	return func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			defer func() { all = nil }()
			return all
		}, func() {
			cancel()
			follower.Wait()
		}
}

func expect(t *testing.T, step string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", step, got, want)
	}
}

func TestFollowTellsEveryChangeOnceAndTheEndOfTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{mode: "test"}
		told, stop := following(t, loader(t, config.Config{Sources: []config.Source{s}}))
		defer stop()
		for _, step := range []struct {
			name string
			mode string
			err  error
			want []string
		}{
			{"nothing new", "test", nil, nil},
			{"a change", "live", nil, []string{"live"}},
			{"a value that is refused", "prod", nil, []string{"error SLP-CFG-006"}},
			{"another one", "dev", nil, []string{"error SLP-CFG-006"}},
			{"the same again", "dev", nil, nil},
			{"back as it was", "live", nil, []string{"live"}},
			{"away", "", errors.New("refused"), []string{"live warning SLP-CFG-011"}},
			{"away for another reason", "", errors.New("timeout"), nil},
			{"back", "live", nil, []string{"live"}},
			{"back with a change", "test", nil, []string{"test"}},
		} {
			s.put(step.mode, step.err)
			<-time.After(5 * time.Second)
			expect(t, step.name, told(), step.want...)
		}
	})
}

func TestABurstOfChangesCollapsesToTheNewest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{mode: "test"}
		told, stop := following(t, loader(t, config.Config{Sources: []config.Source{s}}))
		defer stop()
		for i := range 1000 {
			s.put([]string{"test", "live"}[i%2], nil)
		}
		<-time.After(2 * time.Second)
		expect(t, "1000 changes at once", told(), "live")
		for i := range 1000 {
			s.put([]string{"test", "live"}[i%2], nil)
			<-time.After(7 * time.Millisecond)
		}
		<-time.After(2 * time.Second)
		if got := told(); len(got) > 10 || len(got) > 0 && got[len(got)-1] != "live" {
			t.Errorf("1000 changes in 7 s were told as %v", got)
		}
	})
}

// watched is a shelf that tells of its changes.
type watched struct {
	shelf
	changed chan struct{}
	broken  chan struct{}
}

func (w *watched) Watch(ctx context.Context, changed func()) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.changed:
			changed()
		case <-w.broken:
			return errors.New("connection lost")
		}
	}
}

func TestASourceThatWatchesIsLoadedWhenItSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{shelf: shelf{mode: "test"}, changed: make(chan struct{}), broken: make(chan struct{})}
		told, stop := following(t, loader(t, config.Config{Sources: []config.Source{w}}))
		defer stop()
		<-time.After(time.Minute)
		if w.loads != 1 {
			t.Errorf("it was loaded %d times though it said nothing", w.loads)
		}
		w.put("live", nil)
		<-time.After(time.Minute)
		expect(t, "a change that it keeps to itself", told())
		w.changed <- struct{}{}
		<-time.After(200 * time.Millisecond)
		expect(t, "a change that it tells", told(), "live")
		w.put("test", nil)
		w.broken <- struct{}{}
		<-time.After(5 * time.Second)
		expect(t, "a change while its watcher was broken", told(), "test")
		w.put("", errors.New("refused"))
		w.changed <- struct{}{}
		<-time.After(5 * time.Second)
		expect(t, "away", told(), "test warning SLP-CFG-011")
		w.put("live", nil)
		<-time.After(5 * time.Second)
		expect(t, "back without a word", told(), "live")
	})
}

// hung is a source that does not answer before its time is over.
type hung struct{ shelf }

func (h *hung) Load(ctx context.Context) ([]config.Given, error) {
	h.mu.Lock()
	h.loads++
	first := h.loads == 1
	h.mu.Unlock()
	if first {
		return nil, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestASourceThatHangsDoesNotKeepFilesFromBeingFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "prod.yaml"), "pay: {mode: test}")
	synctest.Test(t, func(t *testing.T) {
		told, stop := following(t, loader(t, config.Config{Dir: dir, Sources: []config.Source{&hung{}}}))
		defer stop()
		write(t, filepath.Join(dir, "prod.yaml"), "pay: {mode: live}")
		<-time.After(time.Minute)
		expect(t, "a change of the file", told(), "live warning SLP-CFG-011")
	})
}

func TestAFileThatIsBeingWrittenIsNotTakenForAShortOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "prod.yaml")
	write(t, file, "pay: {mode: live}")
	synctest.Test(t, func(t *testing.T) {
		told, stop := following(t, loader(t, config.Config{Dir: dir}))
		defer stop()
		<-time.After(time.Second - time.Millisecond)
		write(t, file, "") // as editors and shells do it, just when it is looked at
		<-time.After(10 * time.Millisecond)
		write(t, file, "pay: {mode: live} # as before")
		<-time.After(5 * time.Second)
		expect(t, "a file written anew", told())
	})
}

func TestAMountIsReadAsOneGeneration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := &mount{t: t, dir: dir}
	m.swap("pay: {mode: live}", "log: {level: debug}")
	synctest.Test(t, func(t *testing.T) {
		l := loader(t, config.Config{Dir: dir})
		told, stop := following(t, l)
		defer stop()
		m.swap("pay: {mode: test}", "log: {level: info}")
		<-time.After(2 * time.Second)
		expect(t, "a swap", told(), "test")
		m.swap("pay: {mode: test}", "log: {level: info} # nothing else")
		<-time.After(2 * time.Second)
		expect(t, "a swap that changes nothing", told())
		m.swap("pay: {mode: t", "")
		<-time.After(2 * time.Second)
		expect(t, "a swap to nonsense", told(), "error SLP-CON-001")
	})
}

// TestNoLoadMixesTwoGenerations reads without pause while generations are
// swapped: both files of one always carry the same number.
func TestNoLoadMixesTwoGenerations(t *testing.T) {
	t.Parallel()
	swaps := 500
	if testing.Short() {
		swaps = 100
	}
	dir := t.TempDir()
	m := &mount{t: t, dir: dir}
	put := func(n int) {
		m.swap(fmt.Sprintf("topic: {prefix: p%d.}", n), fmt.Sprintf("spill: {path: p%d.}", n))
	}
	put(0)
	l := loader(t, config.Config{Dir: dir})
	var done atomic.Bool
	var readers sync.WaitGroup
	var reads, seen atomic.Int64
	readers.Go(func() {
		last := ""
		for !done.Load() {
			v, err := l.Load(t.Context())
			if err != nil {
				t.Errorf("load %d: %v", reads.Load(), err)
				return
			}
			if a, b := v.Text("topic.prefix"), v.Text("spill.path"); a != b {
				t.Errorf("one load has %s and %s", a, b)
				return
			} else if a != last {
				last = a
				seen.Add(1)
			}
			reads.Add(1)
		}
	})
	for n := range swaps {
		before := reads.Load()
		put(n + 1)
		for n%10 == 0 && reads.Load() == before && !t.Failed() {
			runtime.Gosched()
		}
	}
	done.Store(true)
	readers.Wait()
	if seen.Load() < 5 {
		t.Errorf("%d reads saw only %d generations", reads.Load(), seen.Load())
	}
}

func TestValuesSayWhereAMountedFileIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := &mount{t: t, dir: dir}
	m.swap("log: {format: json}", "log: {format: text, level: warn}")
	v := load(t, config.Config{
		Environ: []string{"CONFIG_PATH=" + dir},
		Files:   files("prod.yaml", "log: {level: error}\npay: {mode: live}", "common.yaml", "pay: {mode: test}"),
	})
	for key, want := range map[string]string{
		"log.format": "json prod.yaml:1:15", "log.level": "warn common.yaml:1:28", "pay.mode": "live config/prod.yaml:2:13",
	} {
		got := value(t, v, key)
		if text := got.Text + " " + strings.TrimPrefix(got.Source, filepath.ToSlash(dir)+"/"); text != want {
			t.Errorf("%s is %s, want %s", key, text, want)
		}
	}
}
