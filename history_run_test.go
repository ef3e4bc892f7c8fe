package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

const (
	jobs       = "jobs.v1"
	worker     = "worker"
	jobsGroup  = "svc-worker-dev"
	jobsRetry  = "svc-worker-dev.jobs.v1.retry"
	jobsDead   = "svc-worker-dev.jobs.v1.dlq"
	jobsTopics = 3 // partitions
)

// consuming is the contract of a service that handles jobs of opaque bytes, with
// what its entry says.
func consuming(says string) fstest.MapFS {
	return fstest.MapFS{"slipway.yaml": {Data: []byte(`apiVersion: slipway.dev/v1
kind: Service
metadata: {name: worker, owner: team-warehouse}
identity: {auth: scram-sha-512}
consumes:
  jobs.v1: {` + says + `}
`)}}
}

// full is how many records a history has: those of the quick suite, or as many
// as SLIPWAY_HISTORY asks for.
func full(quick int) int {
	if n, err := strconv.Atoi(os.Getenv("SLIPWAY_HISTORY")); err == nil {
		return n
	}
	return quick
}

// brief is how much of something a test does: less of it with -short, which the
// race detector runs with, under which everything takes ten times as long.
func brief[T any](all, short T) T {
	if testing.Short() {
		return short
	}
	return all
}

// A study writes down what is sent and what handlers do.
type study struct {
	t       *testing.T
	rec     history.Recorder
	client  *kgo.Client
	workers atomic.Int64

	mu       sync.Mutex
	seq      map[string]int64 // by key, the last one sent
	sent     int
	settled  map[string]bool // ids whose handler returned nil
	attempts map[string]int  // calls, by id
	began    map[string][]time.Time
	timing   bool // keep began
	ordered  bool // a batch ends at the first failure
	batches  atomic.Int64
	pause    time.Duration // of each batch
}

func newStudy(t *testing.T) *study {
	return &study{t: t, seq: make(map[string]int64), settled: make(map[string]bool), attempts: make(map[string]int), began: make(map[string][]time.Time)}
}

// A job is what a handler is given: a record by its key and its number.
type job struct {
	id      string
	key     string
	seq     int64
	attempt int // as the service counts
	call    int // as the study counts, also over crashes
}

// dice is a number below n that depends on the job and a name alone.
func (j job) dice(name string, n int) int {
	h := fnv.New32a()
	fmt.Fprint(h, j.id, name)
	return int(h.Sum32() % uint32(n))
}

type act func(ctx context.Context, j job) error

// wire is a service whose handler does what act says and is watched.
func (s *study) wire(do act) func(*slipway.App) error {
	return func(app *slipway.App) error {
		name := fmt.Sprint("w", s.workers.Add(1))
		slipway.Handle(app, jobs, func(ctx context.Context, m *slipway.Message[[]byte]) (err error) {
			return s.watch(ctx, name, m, do)
		})
		return nil
	}
}

// wireBatch is the same for a handler of batches, which does its jobs one after
// the other.
func (s *study) wireBatch(do act) func(*slipway.App) error {
	return func(app *slipway.App) error {
		name := fmt.Sprint("w", s.workers.Add(1))
		slipway.HandleBatch(app, jobs, func(ctx context.Context, batch []*slipway.Message[[]byte]) []error {
			s.batches.Add(1)
			<-time.After(s.pause)
			outcomes := make([]error, len(batch))
			stopped := false
			for i, m := range batch {
				if stopped {
					outcomes[i] = errBehind
					continue
				}
				outcomes[i] = s.watch(ctx, name, m, do)
				stopped = outcomes[i] != nil && s.ordered
			}
			return outcomes
		})
		return nil
	}
}

var errBehind = errors.New("behind one that failed")

func (s *study) watch(ctx context.Context, name string, m *slipway.Message[[]byte], do act) (err error) {
	id := string(m.Value)
	key, number, _ := strings.Cut(id, "#")
	seq, _ := strconv.ParseInt(number, 10, 64)
	s.mu.Lock()
	s.attempts[id]++
	call := s.attempts[id]
	if s.timing {
		s.began[id] = append(s.began[id], time.Now())
	}
	s.mu.Unlock()
	effect := history.Effect{ID: id, Topic: jobs, Group: jobsGroup, Worker: name, Start: s.rec.Now()}
	defer func() {
		effect.End, effect.Outcome = s.rec.Now(), history.Failed
		if r := recover(); r != nil {
			s.rec.Add(effect)
			panic(r)
		}
		if err == nil {
			effect.Outcome = history.OK
			s.mu.Lock()
			s.settled[id] = true
			s.mu.Unlock()
		}
		s.rec.Add(effect)
	}()
	return do(ctx, job{id, key, seq, m.Attempt, call})
}

// send writes the next record of each key named, in order, and waits for their
// acknowledgement.
func (s *study) send(k *slipwaytest.Kit, keys ...string) {
	s.t.Helper()
	if s.client == nil {
		s.client = k.Client(kgo.MaxBufferedRecords(20_000))
	}
	for _, key := range keys {
		s.mu.Lock()
		s.seq[key]++
		s.sent++
		send := history.Send{ID: fmt.Sprint(key, "#", s.seq[key]), Topic: jobs, Key: key, Seq: s.seq[key]}
		s.mu.Unlock()
		r := &kgo.Record{Topic: jobs, Key: []byte(key), Value: []byte(send.ID), Headers: []kgo.RecordHeader{{Key: record.EventID, Value: []byte(send.ID)}}}
		if key == "" {
			r.Key, send.Seq = nil, 0
		}
		s.client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
			if err == nil {
				send.Outcome, send.Place = history.OK, &history.Place{Partition: r.Partition, Offset: r.Offset}
			}
			s.rec.Add(send)
		})
	}
	if err := s.client.Flush(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// await advances until as many records are settled or dead, and then until
// everything is committed.
func (s *study) await(k *slipwaytest.Kit, want int, limit time.Duration) {
	s.t.Helper()
	for deadline := time.Now().Add(limit); s.done() < want; k.Advance(time.Second) {
		if time.Now().After(deadline) {
			s.t.Errorf("%d of %d records are settled after %v of virtual time; ready: %v", s.done(), want, limit, k.Ready(worker))
			return
		}
	}
	k.Advance(3 * time.Second)
}

func (s *study) done() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.settled)
}

// handled are the numbers of a key in the order in which they were settled.
func (s *study) handled(key string) []int64 {
	var got []int64
	for _, e := range s.rec.Events() {
		if f, ok := e.(history.Effect); ok && f.Outcome == history.OK && strings.HasPrefix(f.ID, key+"#") {
			n, _ := strconv.ParseInt(strings.TrimPrefix(f.ID, key+"#"), 10, 64)
			got = append(got, n)
		}
	}
	return got
}

// fault notes that something was done to the system.
func (s *study) fault(name string) { s.rec.Add(history.Fault{Name: name}) }

// judge checks the history. What lies in the dead-letter topic, but for the
// evidence of parked keys, counts as settled.
func (s *study) judge(k *slipwaytest.Kit, repeats bool) history.Verdict {
	s.t.Helper()
	for _, r := range k.Records(jobsDead) {
		if reason, _ := record.Get(r.Headers, record.Reason); reason != record.Parked {
			id, _ := record.Get(r.Headers, record.EventID)
			s.rec.Add(history.Effect{ID: id, Topic: jobs, Group: jobsGroup, Outcome: history.Dead})
		}
	}
	s.rec.Add(history.Final{Topic: jobs, Group: jobsGroup, AtLeastOnce: repeats})
	v := history.Check(s.rec.Events())
	if !v.OK() {
		s.t.Errorf("the history does not pass:\n%v", short(v.String()))
	}
	s.t.Logf("%d sent, %d attempts, %d applied, %d dead, %d repeated, faults %v", v.Counts.Sends, v.Counts.Effects, v.Counts.Applied, v.Counts.Dead, v.Counts.Repeats, v.Counts.Faults)
	return v
}

func short(text string) string {
	lines := slices.Collect(strings.Lines(text))
	if len(lines) > 40 {
		lines = lines[:40]
	}
	return strings.Join(lines, "")
}

// repeat is a list of n times the keys.
func repeat(n int, keys ...string) []string { return slices.Repeat(keys, n) }

// observed counts requests and lets them through.
func observed(key kmsg.Key) kfake.Fault {
	return kfake.Fault{Keys: []kmsg.Key{key}, Observe: true, Count: -1}
}

// forgetOrder has the history promise no order.
func (s *study) forgetOrder() {
	events := s.rec.Events()
	s.rec = history.Recorder{}
	for _, e := range events {
		if send, ok := e.(history.Send); ok {
			send.Seq = 0
			e = send
		}
		s.rec.Add(e)
	}
}

// sameAs gives a record the partition and headers of another.
func sameAs(of *kgo.Record) slipwaytest.SendOption {
	return func(r *kgo.Record) { r.Partition, r.Headers = of.Partition, of.Headers }
}
