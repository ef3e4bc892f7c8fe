package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/slipwaytest"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

// One record in a hundred is refused by its handler, as many make it panic, and
// one has it hang for as long as it is let.
func TestPoisonIsTriedExactlyAsOftenAsTheContractSaysAndOthersFlow(t *testing.T) {
	t.Parallel()
	plain, mixed := poisoned(t, false), poisoned(t, true)
	for range 2 { // a fetch that comes late does so with and without poison
		if mixed > plain*6/5 {
			plain, mixed = min(plain, poisoned(t, false)), min(mixed, poisoned(t, true))
		}
	}
	t.Logf("p99 from sending to handling %v without poison, %v with it", plain, mixed)
	if mixed > plain*6/5 {
		t.Errorf("p99 of healthy keys is %v beside poison, %v without, want at most a fifth more", mixed, plain)
	}
}

func poisoned(t *testing.T, poison bool) (p99 time.Duration) {
	t.Helper()
	s := newStudy(t)
	s.timing = true
	n := full(brief(2_000, 1_000))
	do := func(ctx context.Context, j job) error {
		<-time.After(5 * time.Millisecond)
		switch {
		case !poison || !strings.HasPrefix(j.key, "bad"):
		case j.seq == 50:
			<-ctx.Done() // the infinite loop, as far as it can be ended
			return context.Cause(ctx)
		case j.seq%2 == 0:
			panic(strings.Repeat("poison ", 1_000))
		default:
			return fmt.Errorf("poison: %s", strings.Repeat("x", 5_000))
		}
		return nil
	}
	slipwaytest.Run(t, consuming("concurrency: 64, timeout: 5s, retry: {delays: [50ms, 6s]}"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
		var load []string
		for i := range n {
			load = append(load, fmt.Sprint("k", i%100))
			if i%50 == 0 {
				load = append(load, fmt.Sprint("bad", i/50%5))
			}
		}
		sent := make(map[string]time.Time)
		for batch := range slices.Chunk(load, 100) {
			before := s.numbers()
			s.send(k, batch...)
			for _, id := range s.since(before) {
				sent[id] = time.Now()
			}
			k.Advance(50 * time.Millisecond)
		}
		k.Advance(15 * time.Minute)
		v := s.judge(k, false)
		var waits []time.Duration
		for id, at := range s.began {
			if strings.HasPrefix(id, "k") {
				waits = append(waits, at[0].Sub(sent[id]))
			} else if poison && len(at) != 3 {
				t.Errorf("%s was tried %d times, want 3", id, len(at))
			}
		}
		slices.Sort(waits)
		p99 = waits[len(waits)*99/100]
		if !poison {
			return
		}
		if v.Counts.Dead != n/50 {
			t.Errorf("%d dead letters, want all %d poisoned records", v.Counts.Dead, n/50)
		}
		stacks := 0
		for _, r := range k.Records(jobsDead) {
			stack, panicked := record.Get(r.Headers, record.Stack)
			message, _ := record.Get(r.Headers, record.ErrorMessage)
			if count, _ := record.Get(r.Headers, record.ErrorDeliveryCount); count != "3" {
				t.Errorf("a dead letter says that it was tried %s times, want 3", count)
			}
			if panicked {
				stacks++
			}
			if len(stack) > 4<<10 || len(message) > 1<<10 {
				t.Errorf("a dead letter has a stack of %d bytes and a message of %d, want at most 4 KiB and 1 KiB", len(stack), len(message))
			}
		}
		if stacks == 0 {
			t.Error("no dead letter has a stack")
		}
		s.fault("poison")
	})
	return p99
}

func (s *study) numbers() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seq)
}

// since lists what was sent after the numbers given.
func (s *study) since(before map[string]int64) []string {
	var ids []string
	for key, n := range s.numbers() {
		for i := before[key] + 1; i <= n; i++ {
			ids = append(ids, fmt.Sprint(key, "#", i))
		}
	}
	return ids
}

func TestWhileADeadLetterOrRetryTopicIsAwayNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		topic  string
		health string
		err    *kerr.Error // of produce requests; nil deletes the topic
	}{
		"dead letters denied":  {jobsDead, "dead letters of", kerr.TopicAuthorizationFailed},
		"dead letters refused": {jobsDead, "dead letters of", kerr.NotEnoughReplicas},
		"dead letters missing": {jobsDead, "dead letters of", nil},
		"retry denied":         {jobsRetry, "may not WRITE TOPIC " + jobsRetry, kerr.TopicAuthorizationFailed},
		"retry full":           {jobsRetry, "", kerr.KafkaStorageError},
		"retry unknown fate":   {jobsRetry, "", kerr.RequestTimedOut},
		"retry missing":        {jobsRetry, jobsRetry, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStudy(t)
			do := func(_ context.Context, j job) error {
				switch {
				case j.key == "refused":
					return slipway.Reject(errors.New("refused"))
				case j.key == "late" && j.attempt == 1:
					return errors.New("not yet")
				}
				return nil
			}
			slipwaytest.Run(t, consuming("concurrency: 16, session: 6s, heartbeat: 1s, retry: {delays: [6s]}"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
				var mend func()
				if tt.err != nil {
					h := k.FailRequests(kmsg.Produce, tt.err, -1, tt.topic)
					mend = func() {
						if h.Hits() == 0 {
							t.Error("no request was refused: the fault did not happen")
						}
						h.Remove()
					}
				} else {
					if err := k.Kafka().DeleteTopic(tt.topic); err != nil {
						t.Fatal(err)
					}
					mend = func() {
						if err := k.Kafka().CreateTopic(tt.topic, jobsTopics, nil); err != nil {
							t.Fatal(err)
						}
					}
				}
				s.fault(name)
				s.send(k, repeat(3, "refused", "late", "good", "fine")...)
				k.Advance(40 * time.Second)
				if err := k.Ready(worker); tt.health != "" && (err == nil || !strings.Contains(err.Error(), tt.health)) {
					t.Errorf("Ready() = %v, want that %s is the problem", err, tt.health)
				}
				if lag := k.Lag(worker); lag == 0 {
					t.Error("everything is committed though the topic is away")
				}
				s.send(k, repeat(3, "refused", "late", "good", "fine")...)
				mend()
				k.Advance(5 * time.Minute)
				v := s.judge(k, tt.err == kerr.RequestTimedOut)
				if v.Count(history.Lost) > 0 || k.Lag(worker) != 0 {
					t.Errorf("lag = %d after the topic is back, want 0", k.Lag(worker))
				}
				if err := k.Ready(worker); err != nil {
					t.Errorf("Ready() = %v after the topic is back", err)
				}
			})
		})
	}
}

func TestADrainUnderLoadFinishesInTimeAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	n := full(brief(4_000, 2_000))
	slipwaytest.Run(t, consuming("concurrency: 64, retry: {delays: [200ms, 6s]}"), s.wire(working(200*time.Millisecond, 10)), func(t *testing.T, k *slipwaytest.Kit) {
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprint("k", i%500))
		}
		s.send(k, keys...)
		for range 3 {
			k.Advance(700 * time.Millisecond)
			began, running := time.Now(), s.done()
			k.Stop(worker)
			s.fault("drained")
			if took := time.Since(began); took > 25*time.Second {
				t.Errorf("the drain took %v, want at most 25 s", took)
			}
			if running == 0 || running == n {
				t.Errorf("%d of %d records were done when the drain began: it was not under load", running, n)
			}
			k.Start(worker)
		}
		s.await(k, n, time.Hour)
		s.judge(k, false)
	})
}
