//go:build kafka

package slipway_test

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/record"
)

// An archive is what a witness read in a retry topic and a dead-letter topic,
// in the order and with the times of the log.
type archive struct {
	mu      sync.Mutex
	fences  map[int32][]fenceMark
	handed  map[int32]map[int64]time.Time // when a source record's first valid copy was written
	letters map[string]*kgo.Record        // parked tickets by their ids
	next    map[int32]int64
	counts  archived
	fault   error
}

// A fenceMark is a fence in the log.
type fenceMark struct {
	number uint64
	at     time.Time
}

// archived counts what an archive holds.
type archived struct {
	Fences, Copies, Marks, Holds, Commands int

	Strange  int // written by a former owner, behind a higher fence
	Parked   int // evidence of parked keys
	Redriven int // copies of released tickets
	Unseen   int // deleted before the witness came to them
}

func newArchive() *archive {
	return &archive{
		fences: make(map[int32][]fenceMark), handed: make(map[int32]map[int64]time.Time),
		letters: make(map[string]*kgo.Record), next: make(map[int32]int64),
	}
}

// follow reads until ctx ends.
func (a *archive) follow(ctx context.Context, cl *kgo.Client, retry string) {
	for ctx.Err() == nil {
		fetches := cl.PollFetches(ctx)
		a.mu.Lock()
		fetches.EachRecord(func(rec *kgo.Record) {
			if rec.Topic == retry {
				a.entry(rec)
			} else {
				a.letter(rec)
			}
		})
		a.mu.Unlock()
	}
}

func (a *archive) letter(rec *kgo.Record) {
	if reason, _ := record.Get(rec.Headers, record.Reason); reason == record.Parked {
		id, _ := record.Get(rec.Headers, record.EventID)
		a.letters[id] = rec
		a.counts.Parked++
	}
}

func (a *archive) entry(rec *kgo.Record) {
	p := rec.Partition
	a.counts.Unseen += int(rec.Offset - a.next[p])
	a.next[p] = rec.Offset + 1
	e, err := parking.Decode(rec)
	if err != nil {
		a.fault = errors.Join(a.fault, err)
		return
	}
	switch {
	case e.Kind == parking.Fence:
		a.counts.Fences++
		a.fences[p] = append(a.fences[p], fenceMark{e.Fence, rec.Timestamp})
	case e.Kind == parking.Command:
		a.counts.Commands++
	case e.Fence < a.high(p):
		a.counts.Strange++
	case e.Kind == parking.Copy:
		a.copied(p, e, rec.Timestamp)
	case e.Kind == parking.Mark:
		a.counts.Marks++
	case e.Kind == parking.Hold:
		a.counts.Holds++
	}
}

func (a *archive) copied(p int32, e parking.Entry, at time.Time) {
	a.counts.Copies++
	if e.Redrives > 0 {
		a.counts.Redriven++
	}
	if a.handed[p] == nil {
		a.handed[p] = make(map[int64]time.Time)
	}
	if _, again := a.handed[p][e.Ticket.Offset]; !again {
		a.handed[p][e.Ticket.Offset] = at
	}
}

// high is the highest fence of a partition.
func (a *archive) high(p int32) (number uint64) {
	for _, f := range a.fences[p] {
		number = max(number, f.number)
	}
	return number
}

// highest is the highest fence of each partition.
func (a *archive) highest() map[int32]uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[int32]uint64)
	for p := range a.fences {
		all[p] = a.high(p)
	}
	return all
}

// after is when a higher fence than the number came into the log.
func (a *archive) after(p int32, number uint64) (time.Time, bool) {
	for _, f := range a.fences[p] {
		if f.number > number {
			return f.at, true
		}
	}
	return time.Time{}, false
}

// parked are the letters of tickets that parked.
func (a *archive) parked() map[string]*kgo.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.letters)
}

// A takeover is what a worker's log says of a partition that came to it.
type takeover struct {
	at        time.Time
	partition int32
	fence     uint64
}

var takenOver = regexp.MustCompile(`^time=(\S+) .*msg="retry partition taken over" .*partition=(\d+) fence=(\d+)`)

func takeovers(log string) []takeover {
	var all []takeover
	for line := range strings.Lines(log) {
		m := takenOver.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, m[1])
		id, err2 := strconv.ParseInt(m[2], 10, 32)
		fence, err3 := strconv.ParseUint(m[3], 10, 64)
		if err := errors.Join(err, err2, err3); err != nil {
			panic(err)
		}
		all = append(all, takeover{at, int32(id), fence})
	}
	return all
}

func (j *journal) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
