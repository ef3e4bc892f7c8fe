package outbox

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// While the cluster is away a relay has nothing to do but wait for it.
func TestARelayRestsWhileNothingIsAnswered(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(*shard){
		"an attempt after a refusal": func(s *shard) {
			s.flights[1] = &flight{row: &row{turn: 1}, shard: s}
			s.holds[1] = &hold{until: time.Now().Add(-time.Second), seq: 1}
		},
		"as many keys as may wait": func(s *shard) {
			for i := range int64(mostHeld) {
				s.flights[i] = &flight{row: &row{turn: i}, shard: s}
			}
			s.more, s.since = true, time.Now().Add(-time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRelay(Config{}.withDefaults(), nil, slog.New(slog.DiscardHandler), "relay")
				s := newShard(t.Context(), 0, 1, r.cfg.Batch)
				s.more = false
				r.shards[0] = s
				fill(s)
				<-time.After(time.Second)
				began := time.Now()
				r.began = began
				if wants, _ := r.wants(began); len(wants) > 0 {
					t.Fatal("the shard is open")
				}
				r.rest(t.Context())
				if rested := time.Since(began); rested < r.cfg.Poll {
					t.Errorf("the relay rested %v, want %v", rested, r.cfg.Poll)
				}
				s.cancel(nil)
			})
		})
	}
}
