package broker

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestKeysAreDrawnAsOftenAsTheTopicSays(t *testing.T) {
	t.Parallel()
	for name, topic := range map[string]Topic{
		"uniform":   {Keys: 10_000},
		"Zipf(1.1)": {Keys: 10_000, Skew: 1.1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const draws = 500_000
			next, hot := topic.chooser(rand.New(rand.NewPCG(1, 2))), 0
			for range draws {
				key := next()
				if key < 0 || key >= topic.Keys {
					t.Fatalf("drew key %d of %d", key, topic.Keys)
				}
				if key == 0 {
					hot++
				}
			}
			got, want := float64(hot)/draws, topic.HotShare()
			if math.Abs(got-want) > 5*math.Sqrt(want/draws) {
				t.Errorf("key 0 has %.5f of the draws, want %.5f", got, want)
			}
		})
	}
}
