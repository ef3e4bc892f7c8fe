package contract_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-go/slipway/contract"
)

// all draws the full length of a wait, none the least of it.
func all() float64  { return math.Nextafter(1, 0) }
func none() float64 { return 0 }

func TestWaitsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	backoff := func(b contract.Backoff) contract.Retry { return contract.Retry{Backoff: &b} }
	for name, tt := range map[string]struct {
		retry    contract.Retry
		rnd      func() float64
		attempts int
		want     []time.Duration
		longest  time.Duration
	}{
		"nothing stated":     {contract.Retry{}, all, 1, []time.Duration{}, 0},
		"listed":             {contract.Retry{Delays: []time.Duration{ms, 40 * ms}}, none, 3, []time.Duration{ms, 40 * ms}, 41 * ms},
		"doubling to a max":  {backoff(contract.Backoff{First: time.Second, Factor: 2, Max: 5 * time.Second, Attempts: 4}), all, 5, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}, 12 * time.Second},
		"half of it":         {backoff(contract.Backoff{First: time.Second, Factor: 2, Max: time.Minute, Attempts: 2}), func() float64 { return 0.5 }, 3, []time.Duration{500 * ms, time.Second}, 3 * time.Second},
		"not growing":        {backoff(contract.Backoff{First: 30 * ms, Factor: 1, Max: time.Minute, Attempts: 2}), all, 3, []time.Duration{30 * ms, 30 * ms}, 60 * ms},
		"within a budget":    {backoff(contract.Backoff{First: time.Second, Factor: 10, Max: time.Minute, Attempts: 3, Budget: 20 * time.Second}), none, 4, []time.Duration{0, 0, 0}, 20 * time.Second},
		"beyond what fits":   {backoff(contract.Backoff{First: 24 * time.Hour, Factor: 10, Max: 7 * 24 * time.Hour, Attempts: 3}), all, 4, []time.Duration{24 * time.Hour, 168 * time.Hour, 168 * time.Hour}, 360 * time.Hour},
		"a thousand of them": {backoff(contract.Backoff{First: 24 * time.Hour, Factor: 10, Max: 7 * 24 * time.Hour, Attempts: 1000}), none, 1001, make([]time.Duration, 1000), 6994 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.retry.Attempts(); got != tt.attempts {
				t.Errorf("Attempts() = %d, want %d", got, tt.attempts)
			}
			got := []time.Duration{}
			for failed := 1; failed < tt.attempts; failed++ {
				got = append(got, tt.retry.Wait(failed, tt.rnd).Round(ms))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
			if got := tt.retry.Longest(); got != tt.longest {
				t.Errorf("Longest() = %v, want %v", got, tt.longest)
			}
		})
	}
}

// TestAWaitIsNeverBeyondItsBounds draws any policy and any number of failures,
// those that no policy asks for included.
func TestAWaitIsNeverBeyondItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(24*time.Hour)).Draw(t, "first"))
		r := contract.Retry{Backoff: &contract.Backoff{
			First: first, Factor: rapid.Float64Range(1, 10).Draw(t, "factor"),
			Max:      first + time.Duration(rapid.Int64Range(0, int64(6*24*time.Hour)).Draw(t, "above")),
			Attempts: rapid.IntRange(1, 1000).Draw(t, "attempts"), Budget: time.Hour,
		}}
		failed := rapid.IntRange(-1, 100_000).Draw(t, "failed")
		if wait := r.Wait(failed, rand.Float64); wait < 0 || wait >= r.Backoff.Max {
			t.Fatalf("Wait(%d) = %v, want 0 to %v", failed, wait, r.Backoff.Max)
		}
		if longest := r.Longest(); longest < 0 || longest > r.Budget() {
			t.Fatalf("Longest() = %v, want at most the budget of %v", longest, r.Budget())
		}
	})
}

func TestAskingForAWaitThatIsNotThereStaysAtTheLast(t *testing.T) {
	t.Parallel()
	listed := contract.Retry{Delays: []time.Duration{time.Second, time.Minute}}
	for failed, want := range map[int]time.Duration{-1: time.Second, 0: time.Second, 1: time.Second, 2: time.Minute, 3: time.Minute, 900: time.Minute} {
		if got := listed.Wait(failed, none); got != want {
			t.Errorf("Wait(%d) = %v, want %v", failed, got, want)
		}
	}
	if got := (contract.Retry{}).Wait(5, all); got != 0 {
		t.Errorf("without a policy Wait is %v", got)
	}
	if got := listed.Budget(); got != 0 {
		t.Errorf("listed delays have a budget of %v", got)
	}
}

func TestWhatWaitsHasARetryTopicAndWhatIsGivenUpADeadLetterTopic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ retries, dead bool }{
		"{}":                                             {true, true},
		"{retry: {inPlace: 1m}}":                         {true, true},
		"{retry: {delays: []}}":                          {true, true},
		"{retry: {delays: [1s]}}":                        {true, true},
		"{retry: {backoff: {}}}":                         {true, true},
		"{retry: {delays: [1s], then: stop}}":            {true, false},
		"{retry: {then: park}}":                          {true, true},
		"{retry: {then: stop}}":                          {false, false},
		"{as: share}":                                    {false, true},
		"{as: share, retry: {delays: [1s]}}":             {false, true},
		"{order: none, retry: {delays: [1s]}}":           {true, true},
		"{order: partition, retry: {backoff: {}}}":       {true, true},
		"{as: table}":                                    {false, false},
		"{protocol: consumer, retry: {delays: [1s]}}":    {true, true},
		"{start: latest, retry: {backoff: {first: 2s}}}": {true, true},
	} {
		s, list := parse(minimal + "topics: {x.y.v1: {key: id, compact: true}}\nproduces: {x.y.v1: {}}\nconsumes: {x.y.v1: " + text + "}\n")
		if list.Failed() {
			t.Fatalf("%s: %v", text, list)
		}
		c := s.Consumes["x.y.v1"]
		if c.Retries() != want.retries || c.DeadLetters() != want.dead || s.DeadLetters() != want.dead {
			t.Errorf("%s: retry topic %v, dead letters %v, of the service %v, want %+v", text, c.Retries(), c.DeadLetters(), s.DeadLetters(), want)
		}
	}
}
