//go:build kafka

package slipway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

const (
	effectsSuffix = ".effects"

	patience = 4 * time.Minute // the machine may be busy
	letGo    = 4 * time.Second // how long a key stays parked at least
	insist   = 3 * time.Second // between two commands for one ticket
	heldKeys = 4               // that are parked by hand
)

// traffic is how much is sent, and of what.
type traffic struct {
	records int
	rate    int // in a second
	keys    int
	flat    float64 // of Zipf's curve at its top: a key that fails cannot be faster than its retries
	failing float64 // the share of records that fail once or twice
	pace    time.Duration
}

// A trial is three consumer processes of a service on three nodes, what is done
// to them, and the evidence of it. The evidence is what the sender, the workers'
// journals and the topics say, never what the runtime says of itself; only
// which fence a worker holds is read from its log.
type trial struct {
	*flow
	*archive
	traffic
	service, topic, group, retry, dead, dir string
	login                                   []string // of every worker: a certificate that is issued anew replaces the last one

	sent chan struct{} // closed when all was sent

	mu       sync.Mutex
	slots    []*hand // that run now
	workers  []*hand // that ever ran
	spells   []spell
	effects  []history.Event
	done     map[string]bool // ids that were handled
	read     map[string]int64
	commits  []history.Commit
	released map[string]time.Time // tickets, and when they were commanded last
	held     int
}

// A spell is a time during which something was wrong with a worker, or with a
// node if none is named.
type spell struct {
	what, worker string
	from, to     time.Time
}

const (
	killed  = "kill -9"
	paused  = "SIGSTOP"
	cutOff  = "cut off"
	theNode = " of a node"
)

func newTrial(t *testing.T, service string, l traffic) *trial {
	t.Helper()
	r := onKafka(t)
	x := &trial{
		flow: &flow{realKafka: r}, archive: newArchive(), traffic: l, dir: t.ArtifactDir(),
		service: service, login: r.login(t, service).Environment(), topic: service + ".in.v1", group: "svc-" + service + "-dev",
		sent: make(chan struct{}), done: make(map[string]bool), read: make(map[string]int64), released: make(map[string]time.Time),
	}
	x.retry, x.dead = x.group+"."+x.topic+".retry", x.group+"."+x.topic+".dlq"
	x.admin = client(t, r.Admin(), kgo.MetadataMinAge(100*time.Millisecond))
	return x
}

// begin starts workers, sender, operator and witnesses.
func (x *trial) begin(t *testing.T, workers int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var helpers sync.WaitGroup
	t.Cleanup(func() { cancel(); helpers.Wait() })
	for slot := range workers {
		w := x.hire(t, fmt.Sprint(slot, ".0"))
		x.slots, x.workers = append(x.slots, w), append(x.workers, w)
	}
	witness := client(t, x.Admin(), kgo.MetadataMinAge(100*time.Millisecond), kgo.ConsumeTopics(x.retry, x.dead), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	helpers.Go(func() { x.archive.follow(ctx, witness, x.retry) })
	helpers.Go(func() { x.watch(ctx) })
	await(t, patience, "every worker to have partitions", func() bool {
		x.mustRun(t)
		for _, w := range x.slots {
			if w.log.count("retry partition taken over") == 0 {
				return false
			}
		}
		return true
	})
	sender := client(t, x.Admin(), kgo.ProducerLinger(5*time.Millisecond))
	helpers.Go(func() { x.sendAll(ctx, sender) })
	operator := client(t, x.Admin(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	helpers.Go(func() { x.operate(ctx, t, operator) })
	await(t, patience, "the first records to be handled", func() bool { return x.handledSoFar(t) > 100 })
}

// sendAll sends records at a steady rate until there are enough, or for as long
// as it takes if there is no number.
func (x *trial) sendAll(ctx context.Context, cl *kgo.Client) {
	const tick = 20 * time.Millisecond
	random := rand.New(rand.NewPCG(1, 2))
	keys := rand.NewZipf(random, 1.01, x.flat, uint64(x.keys-1))
	seqs := make(map[uint64]int64)
	every := time.NewTicker(tick)
	defer every.Stop()
	began, n := time.Now(), 0
	for n < x.records {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for due := min(x.records, int(time.Since(began).Seconds()*float64(x.rate))); n < due; n++ {
			key := keys.Uint64()
			seqs[key]++
			x.sendOne(ctx, cl, key, seqs[key], x.plan(random, key, seqs[key]))
		}
	}
	if cl.Flush(ctx) == nil {
		close(x.sent)
	}
}

// plan is what becomes of a record.
func (x *trial) plan(random *rand.Rand, key uint64, seq int64) string {
	if key%400 == 7 && seq%500 == 3 {
		return planPark
	}
	switch dice := random.Float64() / x.failing; {
	case dice < 0.4:
		return planBrief
	case dice < 0.8:
		return planLong
	case dice < 1:
		return planTwice
	default:
		return planFine
	}
}

func (x *trial) sendOne(ctx context.Context, cl *kgo.Client, key uint64, seq int64, plan string) {
	name := fmt.Sprint("k", key)
	send := history.Send{ID: fmt.Sprint(name, "/", seq), Topic: x.topic, Key: name, Seq: seq}
	x.Add(send)
	rec := &kgo.Record{
		Topic: x.topic, Key: []byte(name), Value: []byte(plan),
		Headers: []kgo.RecordHeader{{Key: record.EventID, Value: []byte(send.ID)}},
	}
	cl.Produce(ctx, rec, func(rec *kgo.Record, err error) {
		if err == nil {
			send.Outcome, send.Place = history.OK, &history.Place{Partition: rec.Partition, Offset: rec.Offset}
			x.Add(send)
			x.acked.Add(1)
		}
	})
}

// watch notes what the group has committed, as others can see it.
func (x *trial) watch(ctx context.Context) {
	every := time.NewTicker(500 * time.Millisecond)
	defer every.Stop()
	last := make(map[int32]int64)
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		now := x.committed(ctx, x.group, x.topic)
		x.mu.Lock()
		for partition, offset := range now {
			if last[partition] != offset {
				last[partition] = offset
				x.commits = append(x.commits, history.Commit{Partition: partition, Offset: offset, At: time.Now()})
			}
		}
		x.mu.Unlock()
	}
}

// handledSoFar reads what is new in the journals and returns how many records
// were handled.
func (x *trial) handledSoFar(t *testing.T) int {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range x.workers {
		if err := x.readJournal(filepath.Join(x.dir, w.name+effectsSuffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return len(x.done)
}

// readJournal takes in the whole lines of a journal that are new.
func (x *trial) readJournal(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var text bytes.Buffer
	if _, err := f.Seek(x.read[file], 0); err != nil {
		return err
	}
	if _, err := text.ReadFrom(f); err != nil {
		return err
	}
	whole := text.Bytes()[:bytes.LastIndexByte(text.Bytes(), '\n')+1]
	events, err := history.Parse(bytes.NewReader(whole))
	if err != nil {
		return err
	}
	x.read[file] += int64(len(whole))
	x.effects = append(x.effects, events...)
	for _, e := range events {
		if e, ok := e.(history.Effect); ok && e.Outcome == history.OK {
			x.done[e.ID] = true
		}
	}
	return nil
}

// awaitHandled waits until so many more records were handled.
func (x *trial) awaitHandled(t *testing.T, more int) {
	t.Helper()
	want := x.handledSoFar(t) + more
	await(t, patience, "more records to be handled", func() bool {
		x.mustRun(t)
		return x.handledSoFar(t) >= want || x.allSent()
	})
}

// mustRun fails the test if a worker has ended by itself.
func (x *trial) mustRun(t *testing.T) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range x.slots {
		select {
		case <-w.process.Done():
			if !w.dismissed.Load() {
				t.Fatalf("worker %s has ended by itself; it logged\n%s", w.name, w.log.tail())
			}
		default:
		}
	}
}

func (x *trial) allSent() bool {
	select {
	case <-x.sent:
		return true
	default:
		return false
	}
}

// finish waits until everything was sent, handled and committed, and ends the
// workers.
func (x *trial) finish(t *testing.T) {
	t.Helper()
	await(t, patience+time.Duration(x.records/x.rate)*time.Second, "everything to be sent", x.allSent)
	sent := int(x.acked.Load())
	if sent != x.records {
		t.Errorf("%d of %d records were sent", sent, x.records)
	}
	for last, since := 0, time.Now(); last < sent; {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-t.Context().Done():
		}
		x.mustRun(t)
		switch now := x.handledSoFar(t); {
		case now > last:
			last, since = now, time.Now()
		case time.Since(since) > patience:
			x.tellStuck(t, sent)
			t.FailNow()
		}
	}
	ends, err := x.administer(t).EndOffsets(t.Context(), x.topic)
	if err != nil {
		t.Fatal(err)
	}
	await(t, patience, "everything to be committed", func() bool {
		left := ends[x.topic]
		for _, offset := range x.committed(t.Context(), x.group, x.topic) {
			left -= offset
		}
		return left == 0
	})
	for _, w := range x.slots {
		w.dismiss(t)
	}
	x.handledSoFar(t)
}

// tellStuck says what is missing when nothing moves any more.
func (x *trial) tellStuck(t *testing.T, sent int) {
	t.Helper()
	missing := make(map[string]int)
	for _, e := range x.Events() {
		if s, ok := e.(history.Send); ok && s.Place != nil && !x.done[s.ID] {
			missing[fmt.Sprintf("partition %d key %s", s.Place.Partition, s.Key)]++
		}
	}
	t.Errorf("%d of %d records were handled, and nothing moves: missing %v", len(x.done), sent, missing)
	for _, w := range x.slots {
		t.Logf("worker %s logged\n%s", w.name, w.log.tail())
	}
}
