package slipway

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A watched lease notes when it ends and goes on, in seconds.
type watchedLease struct {
	*lease
	began time.Time
	told  []string
}

func newWatchedLease(session time.Duration) *watchedLease {
	w := &watchedLease{began: time.Now()}
	note := func(what string) func() {
		return func() { w.told = append(w.told, what+" "+time.Since(w.began).String()) }
	}
	w.lease = newLease(session, note("over"), note("on"))
	return w
}

func (w *watchedLease) writes(key kmsg.Key) {
	w.OnBrokerWrite(kgo.BrokerMetadata{}, int16(key), 0, 0, 0, nil)
}

// hears an answer that took so long.
func (w *watchedLease) hears(key kmsg.Key, took time.Duration) {
	w.OnBrokerE2E(kgo.BrokerMetadata{}, int16(key), kgo.BrokerE2E{TimeToRead: took})
}

func (w *watchedLease) require(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(w.told, want) {
		t.Errorf("told %q, want %q", w.told, want)
	}
}

func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestALeaseRunsFromTheLastAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newWatchedLease(10 * time.Second)
		defer l.close()
		l.writes(kmsg.JoinGroup)
		advance(50 * time.Second) // others take their time to join
		l.hears(kmsg.JoinGroup, 50*time.Second)
		l.writes(kmsg.SyncGroup)
		advance(30 * time.Second) // the leader takes its time
		l.hears(kmsg.SyncGroup, 30*time.Second)
		for range 5 {
			advance(3 * time.Second)
			l.hears(kmsg.Heartbeat, 0)
		}
		l.require(t)
		advance(3 * time.Second)
		l.hears(kmsg.Heartbeat, 2*time.Second) // written a second after the last answer
		advance(time.Minute)
		l.require(t, "over 1m46s")
	})
}

func TestALeaseThatIsOverGoesOnOnceItsAnswerWasHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newWatchedLease(10 * time.Second)
		l.hears(kmsg.SyncGroup, 0)
		advance(20 * time.Second)
		l.writes(kmsg.JoinGroup) // into a hole, perhaps
		advance(time.Second)
		l.require(t, "over 10s")
		l.hears(kmsg.ConsumerGroupHeartbeat, 0)
		if !l.over.Load() {
			t.Error("something may start before the client has read the answer")
		}
		advance(500 * time.Millisecond)
		l.hears(kmsg.ConsumerGroupHeartbeat, 0) // and is not held up by the next one
		advance(500 * time.Millisecond)
		l.require(t, "over 10s", "on 22s")
		l.close()
		l.hears(kmsg.Heartbeat, 0)
		advance(time.Hour)
		l.require(t, "over 10s", "on 22s")
	})
}

func TestAnAnswerOlderThanASessionIsNoNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newWatchedLease(10 * time.Second)
		defer l.close()
		l.hears(kmsg.SyncGroup, 0)
		advance(15 * time.Second)
		l.hears(kmsg.Heartbeat, 12*time.Second)
		advance(time.Minute)
		l.require(t, "over 10s")
	})
}

func TestAMemberJoinsUntilItIsInOrNobodyAnswers(t *testing.T) {
	t.Parallel()
	lost := kgo.BrokerE2E{ReadErr: errors.New("connection lost")}
	for name, tt := range map[string]struct {
		writes, hears []kmsg.Key
		last          kgo.BrokerE2E // of the last answer
		want          bool
	}{
		"join is not answered":   {writes: []kmsg.Key{kmsg.JoinGroup}, want: true},
		"leader shares out":      {[]kmsg.Key{kmsg.JoinGroup}, []kmsg.Key{kmsg.JoinGroup}, kgo.BrokerE2E{}, true},
		"sync is not answered":   {[]kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup}, []kmsg.Key{kmsg.JoinGroup}, kgo.BrokerE2E{}, true},
		"sync is answered":       {[]kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup}, []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup}, kgo.BrokerE2E{}, false},
		"answer to join is lost": {[]kmsg.Key{kmsg.JoinGroup}, []kmsg.Key{kmsg.JoinGroup}, lost, false},
		"answer to sync is lost": {[]kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup}, []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup}, lost, false},
		"heartbeat is answered":  {[]kmsg.Key{kmsg.JoinGroup, kmsg.Heartbeat}, []kmsg.Key{kmsg.JoinGroup, kmsg.Heartbeat}, kgo.BrokerE2E{}, false},
		"offsets are committed":  {[]kmsg.Key{kmsg.OffsetCommit}, []kmsg.Key{kmsg.OffsetCommit}, kgo.BrokerE2E{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newWatchedLease(time.Minute)
			defer l.close()
			for _, key := range tt.writes {
				l.writes(key)
			}
			for i, key := range tt.hears {
				answer := kgo.BrokerE2E{}
				if i == len(tt.hears)-1 {
					answer = tt.last
				}
				l.OnBrokerE2E(kgo.BrokerMetadata{}, int16(key), answer)
			}
			if got := l.joining.Load(); got != tt.want {
				t.Errorf("joining = %v, want %v", got, tt.want)
			}
		})
	}
}
