package arm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
)

// A handledLog knows who handled what when.
type handledLog struct {
	mu      sync.Mutex
	events  [broker.Partitions][]handledEvent
	seen    map[uint64]int // by partition and offset
	repeats int
}

type handledEvent struct {
	member string
	at     time.Time
}

func (l *handledLog) add(member string, r Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events[r.Partition] = append(l.events[r.Partition], handledEvent{member, time.Now()})
	at := uint64(r.Partition)<<48 | uint64(r.Offset)
	if l.seen[at]++; l.seen[at] > 1 {
		l.repeats++
	}
}

// awaitMember returns when a member has handled records of so many partitions,
// and a steady while after that. The while is random, so that heartbeats do not
// always fall alike.
func (l *handledLog) awaitMember(ctx context.Context, member string, partitions int) error {
	for end := time.Now().Add(joinTimeout); l.partitionsOf(member) < partitions; {
		if time.Now().After(end) {
			return fmt.Errorf("member %s handles %d partitions after %v, want %d", member, l.partitionsOf(member), joinTimeout, partitions)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return pause(ctx, steadyTime+rand.N(time.Second)) //nolint:gosec // no secret
}

func (l *handledLog) partitionsOf(member string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, events := range l.events {
		if slices.ContainsFunc(events, func(e handledEvent) bool { return e.member == member }) {
			n++
		}
	}
	return n
}

// pauses adds the longest pause of moved and of kept partitions between two
// moments.
func (l *handledLog) pauses(r Result, event string, from, to time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var moved, kept []float64
	for _, events := range l.events {
		before, during := splitAt(events, from, to)
		if len(before) == 0 || len(during) == 0 {
			moved = append(moved, to.Sub(from).Seconds()*1e3) // it never came back
			continue
		}
		last, longest := before[len(before)-1].at, time.Duration(0)
		for _, e := range during {
			longest = max(longest, e.at.Sub(last))
			last = e.at
		}
		if before[len(before)-1].member == during[len(during)-1].member {
			kept = append(kept, longest.Seconds()*1e3)
		} else {
			moved = append(moved, longest.Seconds()*1e3)
		}
	}
	r[event+"_moved"], r[event+"_count"] = slices.Max(append(moved, 0)), float64(len(moved))
	r[event+"_kept"] = slices.Max(append(kept, 0))
}

// splitAt returns the events before a moment, and those from it to another.
func splitAt(events []handledEvent, from, to time.Time) (before, during []handledEvent) {
	index := func(at time.Time) int {
		i, _ := slices.BinarySearchFunc(events, at, func(e handledEvent, at time.Time) int { return e.at.Compare(at) })
		return i
	}
	i, j := index(from), index(to)
	return events[:i], events[i:j]
}
