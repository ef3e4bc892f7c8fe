package spill_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-go/slipway/internal/spill"
)

// A life is what a process did with a queue until it crashed.
type life struct {
	appended  []string        // told to be there
	tried     map[string]bool // not told
	settled   map[string]bool // acknowledged, and told so
	unsettled map[string]bool // acknowledged, and not told
}

// live appends, reads and acknowledges until the disk crashes, or for a while.
func live(t *testing.T, q *spill.Queue, rng *rand.Rand, from int) life {
	t.Helper()
	l := life{tried: map[string]bool{}, settled: map[string]bool{}, unsettled: map[string]bool{}}
	for n := from; n < from+60; {
		var batch []spill.Record
		for range 1 + rng.IntN(4) {
			v := fmt.Sprintf("%d/%d", n%5, n)
			batch = append(batch, spill.Record{Topic: "t", Key: []byte(strconv.Itoa(n % 5)), Value: []byte(v)})
			n++
		}
		err := q.AppendWait(batch...)
		for _, r := range batch {
			if err == nil {
				l.appended = append(l.appended, string(r.Value))
			} else {
				l.tried[string(r.Value)] = true
			}
		}
		if err != nil {
			return l
		}
		if rng.IntN(3) > 0 {
			continue
		}
		items, err := q.Next(1+rng.IntN(largestBatch), 1<<20)
		if err != nil {
			return l
		}
		if len(items) == 0 {
			continue
		}
		to := l.settled
		if err = q.Ack(items...); err != nil {
			to = l.unsettled
		}
		for _, v := range values(items) {
			to[v] = true
		}
		if err != nil {
			return l
		}
	}
	return l
}

// largestBatch is how many records are read and acknowledged at once.
const largestBatch = 12

// A mode is a way to crash, with what it may cost.
type mode struct {
	sync  spill.Sync
	power bool // it is cut; otherwise the process is killed
	lose  bool // records may be lost from the end
}

// F-44. The crash comes at every operation of the file system in turn: in the
// middle of an append, a rotation, a deletion, an acknowledgement.
func TestACrashAtAnyPointLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	const points = 600
	for name, m := range map[string]mode{
		"killed, always":      {sync: spill.SyncAlways},
		"power cut, always":   {sync: spill.SyncAlways, power: true},
		"killed, interval":    {sync: spill.SyncInterval},
		"killed, never":       {sync: spill.SyncNever},
		"power cut, interval": {sync: spill.SyncInterval, power: true, lose: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crashed, again := 0, 0
			for point := range points {
				reached, twice := crash(t, m, point%150, uint64(point))
				if reached {
					crashed++
				}
				again += twice
			}
			t.Logf("%d crashes, %d records came a second time", crashed, again)
			if crashed < 300 {
				t.Errorf("only %d of %d points were reached", crashed, points)
			}
		})
	}
}

func crash(t *testing.T, m mode, point int, seed uint64) (reached bool, twice int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	dir := newMemory()
	ops := 0
	dir.before = func(op, _ string) (int, error) {
		if op != "read" && op != "open" {
			ops++
		}
		if ops > point {
			reached = true
			return rng.IntN(40), errCrash
		}
		return 0, nil
	}
	cfg := spill.Config{SegmentBytes: 400, MaxBytes: 1 << 20, Sync: m.sync, Interval: time.Hour}
	cfg.Folder = dir
	q, err := spill.Open(cfg)
	if err != nil {
		return reached, 0
	}
	l := live(t, q, rng, 0)
	q.Close()
	dir.mu.Lock()
	after := dir.killed()
	if m.power {
		after = dir.unplugged(rng)
	}
	dir.mu.Unlock()
	cfg.Folder = after
	q, err = spill.Open(cfg)
	if err != nil {
		t.Fatalf("point %d: %v", point, err)
	}
	defer q.Close()
	return reached, l.compare(t, point, m, values(all(t, q)))
}

// compare holds what came back against what should have.
func (l life) compare(t *testing.T, point int, m mode, got []string) (twice int) {
	t.Helper()
	came := map[string]bool{}
	last := map[string]int{}
	for _, v := range got {
		key, text, _ := strings.Cut(v, "/")
		n, _ := strconv.Atoi(text)
		if came[v] || last[key] > n {
			t.Fatalf("point %d: key %s came out of order or twice: %v", point, key, got)
		}
		came[v], last[key] = true, n
		switch {
		case l.settled[v] && !m.lose:
			t.Fatalf("point %d: %s came again, which was acknowledged: %v", point, v, got)
		case l.settled[v], l.unsettled[v]:
			twice++
		}
	}
	lost := 0
	for _, v := range l.appended {
		if !came[v] && !l.settled[v] && !l.unsettled[v] {
			lost++
		}
	}
	if lost > 0 && !m.lose {
		t.Fatalf("point %d: %d of %d records lost, got %v", point, lost, len(l.appended), got)
	}
	if twice > largestBatch && !m.lose {
		t.Fatalf("point %d: %d records came a second time, want those of one batch at most", point, twice)
	}
	return twice
}
