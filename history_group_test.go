package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/slipwaytest"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

// working is a handler that takes up to a time and fails now and then.
func working(most time.Duration, bad int) act {
	return func(ctx context.Context, j job) error {
		select {
		case <-time.After(time.Duration(j.dice("work", int(most)))):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if j.attempt == 1 && j.dice("fate", 100) < bad {
			return errors.New("not yet")
		}
		return nil
	}
}

// numbered are n keys.
func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	return keys
}

func TestMembersThatComeAndGoLoseRepeatAndReorderNothing(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"cooperative": "heartbeat: 100ms, session: 6s",
		"eager":       "heartbeat: 100ms, session: 6s, assignment: range",
		"consumer":    "protocol: consumer",
		"static":      "heartbeat: 100ms, session: 6s, static: true",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lasts := 15 * time.Second
			if full(0) > 0 {
				lasts = 5 * time.Minute
			}
			s := newStudy(t)
			files := consuming("concurrency: 64, retry: {delays: [100ms, 6s]}, " + says)
			slipwaytest.Run(t, files, s.wire(working(50*time.Millisecond, 10)), func(t *testing.T, k *slipwaytest.Kit) {
				keys := numbered(50)
				s.send(k, keys...)
				sent, stop := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(sent)
					for {
						select {
						case <-time.After(250 * time.Millisecond):
							s.send(k, keys...)
						case <-stop:
							return
						}
					}
				}()
				slowest := 1 << 30
				window, done := time.Now(), s.done()
				for end := time.Now().Add(lasts); time.Now().Before(end); {
					s.fault("member came")
					k.Start(worker)
					k.Advance(500 * time.Millisecond)
					s.fault("member went")
					k.Stop(worker)
					k.Advance(500 * time.Millisecond)
					if time.Since(window) > 10*time.Second {
						slowest = min(slowest, s.done()-done)
						window, done = time.Now(), s.done()
					}
				}
				close(stop)
				<-sent
				s.await(k, s.sent, time.Hour)
				v := s.judge(k, false)
				if v.Counts.Faults["member came"] < 3 {
					t.Errorf("%d members came, want several", v.Counts.Faults["member came"])
				}
				if slowest < 100 {
					t.Errorf("%d records in the slowest ten seconds, want 100", slowest)
				}
				t.Logf("%d records in the slowest ten seconds", slowest)
			})
		})
	}
}

func TestAHandlerSlowerThanTheSessionKeepsItsPartition(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	slow := func(context.Context, job) error { <-time.After(20 * time.Second); return nil }
	slipwaytest.Run(t, consuming("session: 6s, heartbeat: 1s, timeout: 1m"), s.wire(slow), func(t *testing.T, k *slipwaytest.Kit) {
		beats := k.Kafka().Fault(observed(kmsg.Heartbeat))
		s.send(k, numbered(6)...)
		s.send(k, numbered(6)...)
		s.await(k, 12, 10*time.Minute)
		v := s.judge(k, false)
		if v.Counts.Effects != 12 {
			t.Errorf("%d attempts at 12 records, want one each", v.Counts.Effects)
		}
		if beats.Hits() < 30 {
			t.Errorf("%d heartbeats while handlers ran for 40 s, want one a second", beats.Hits())
		}
		if strings.Contains(k.Log(), "partition lost") {
			t.Error("the member lost partitions while its handlers ran")
		}
	})
}

// An instance that is cut off for longer than its session, and then comes back:
// while its requests are still on their way, which are refused then, or long
// after it has given up on them.
func TestAZombieCommitsNothingAndWhatItRepeatsIsBounded(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]time.Duration{"back at once": 0, "back later": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStudy(t)
			steady := func(context.Context, job) error { <-time.After(500 * time.Millisecond); return nil }
			files := consuming("concurrency: 8, session: 6s, heartbeat: 1s, retry: {delays: [1s]}")
			slipwaytest.Run(t, files, s.wire(steady), func(t *testing.T, k *slipwaytest.Kit) {
				s.send(k, repeat(100, numbered(8)...)...)
				k.Advance(3 * time.Second)
				heal := k.Isolate(worker)
				s.fault("isolated")
				cut := s.done()
				k.Start(worker) // waits until the first one's session is over
				k.Advance(away)
				back := s.done()
				if away > 0 && !strings.Contains(k.Log(), "group coordinator does not answer") {
					t.Error("the zombie did not notice the silence")
				}
				heal()
				s.await(k, 800, time.Hour)
				k.Advance(10 * time.Second)
				v := verdictOf(s)
				if lost := v.Count(history.Lost, history.Phantom, history.CommitAhead); lost > 0 {
					t.Errorf("a zombie cost records:\n%v", short(v.String()))
				}
				if !strings.Contains(k.Log(), "partition lost") {
					t.Error("the zombie was never told that its partitions are gone: the fault did not happen")
				}
				t.Logf("%d done when cut off, %d when back; repeats %d, overlaps %d, out of order %d", cut, back,
					v.Counts.Repeats, v.Count(history.KeyOverlap), v.Count(history.OutOfOrder))
				if away == 0 && !strings.Contains(k.Log(), "UNKNOWN_MEMBER_ID") { // later it may learn first, and not try
					t.Error("no commit of the zombie was refused")
				}
				const session, unsure = 6, 3 // seconds; since the last commit, and until the silence is noticed
				if most := 8 * 2 * (session + unsure); v.Counts.Repeats > most {
					t.Errorf("%d records were handled twice, want at most %d: what eight keys can do in a session, however long it is away", v.Counts.Repeats, most)
				}
				if lag := k.Lag(worker); lag != 0 {
					t.Errorf("lag = %d in the end, want 0", lag)
				}
			})
		})
	}
}

// verdictOf is the verdict on a study whose records may repeat.
func verdictOf(s *study) history.Verdict {
	s.rec.Add(history.Final{Topic: jobs, Group: jobsGroup, AtLeastOnce: true})
	return history.Check(s.rec.Events())
}

func TestWhatWasFinishedAheadIsNotRepeatedAfterAKill(t *testing.T) {
	t.Parallel()
	s := newStudy(t)
	var killed chan struct{} // ends what ran when the instance was killed
	do := func(ctx context.Context, j job) error {
		if j.key == "slow" && j.call == 1 {
			<-killed
			return errors.New("killed")
		}
		return nil
	}
	slipwaytest.Run(t, consuming("concurrency: 64, session: 6s, heartbeat: 1s, timeout: 1m"), s.wire(do), func(t *testing.T, k *slipwaytest.Kit) {
		killed = make(chan struct{})
		s.send(k, "slow")
		s.send(k, repeat(20, numbered(100)...)...)
		k.Advance(3 * time.Second)
		k.Kill(worker)
		s.fault("killed")
		close(killed)
		s.send(k, numbered(100)...)
		k.Start(worker)
		s.await(k, 2101, time.Hour)
		k.Advance(time.Minute)
		v := s.judge(k, true)
		if v.Counts.Effects != 2102 {
			t.Errorf("%d attempts at 2101 records, want one more: of the record that was in its handler", v.Counts.Effects)
		}
	})
}

func TestMetadataOfOthersIsHarmless(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"prose": "consumed by a colleague", "damaged": "SW1AAAAAAAA", "ours of a later version": "SW2AAAA", "binary": "\x00\xff\xfe", "long": strings.Repeat("SW1", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStudy(t)
			done := func(context.Context, job) error { return nil }
			slipwaytest.Run(t, consuming("retry: {delays: [10s]}"), s.wire(done), func(t *testing.T, k *slipwaytest.Kit) {
				k.Stop(worker)
				s.send(k, numbered(30)...)
				req := kmsg.NewPtrOffsetCommitRequest()
				req.Group, req.Generation = jobsGroup, -1
				rt := kmsg.NewOffsetCommitRequestTopic()
				rt.Topic, rt.TopicID = jobs, k.Kafka().TopicInfo(jobs).TopicID
				for p := range int32(jobsTopics) {
					rp := kmsg.NewOffsetCommitRequestTopicPartition()
					rp.Partition, rp.Offset, rp.Metadata = p, 0, &text
					rt.Partitions = append(rt.Partitions, rp)
				}
				req.Topics = append(req.Topics, rt)
				resp, err := req.RequestWith(t.Context(), s.client)
				if err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
					t.Fatalf("commit foreign metadata: %v %v", err, resp)
				}
				s.fault("foreign metadata")
				k.Start(worker)
				s.await(k, 30, time.Hour)
				s.judge(k, false)
				if err := k.Ready(worker); err != nil {
					t.Errorf("Ready() = %v", err)
				}
			})
		})
	}
}
