package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

const (
	// poisonRetry waits once in place and then for longer than the arm runs,
	// parkedRetry for longer than the arm runs.
	poisonRetry = "{delays: [1s, 1m, 10m], then: dead-letter}"
	parkedRetry = "{delays: [1h], then: park}"
	healthyName = "no key fails"
)

func poisonSuite(o options) suite {
	s := suite{
		name: "poison", title: "One key that always fails", rounds: 5, plot: 1,
		about: `The handler fails for every record of one key of 10,000. What counts is the other keys' rate, beside the same service
where no key fails. The empty handler drains 2,000,000 records; the other one is measured for 4 s after 3 s of warm-up.`,
		columns: []column{
			{title: "records/s of the other keys", key: "rate", unit: report.Count},
			ratio("rate against no failing key", "rate", to(healthyName)),
			{title: "CPU s per million", key: "cpu", unit: report.Digits},
			{title: "peak RSS, MiB", key: "rss", unit: report.Digits},
		},
	}
	arms := func(name string, spec arm.Spec) []arm.Spec {
		spec.Client, spec.Order, spec.InFlight, spec.Retry = "slipway", "key", 256, cmp.Or(o.retry, poisonRetry)
		healthy, poisoned := spec, spec
		healthy.Name, poisoned.Name, poisoned.Poison = healthyName, "one key fails", true
		return kind(name, []arm.Spec{healthy, poisoned})
	}
	s.cases = append(s.cases,
		testCase{title: "empty handler", broker: "kafka", topic: backlog, arms: arms("consume", arm.Spec{})},
		testCase{
			title: "1ms of work", broker: "kafka",
			topic: broker.Topic{Name: "bench.uniform.v1", Records: 5_000_000, Size: 100, Keys: manyKeys},
			arms:  arms("slow", arm.Spec{Work: time.Millisecond, Warmup: 3 * time.Second, Window: 4 * time.Second}),
		})
	return s
}

// slipwayProducer as a linger means Slipway's own producer.
const slipwayProducer = -1

func latencySuite(o options) suite {
	s := suite{
		name: "latency", title: "From produce to handler", rounds: 5, plot: 1,
		about: `An open loop: each record has a time at which it is to be sent, and its latency counts from then until the handler has it,
whatever held it up. Producer and consumer are in one process; 100-byte records, 10 s after a warm-up of 3 s. The same
franz-go producer feeds the arms that are compared, but for the last: it is Slipway's own, one goroutine for each record that waits for
its acknowledgement, without keys. p99.9 on two shared cores is the scheduler's, not the client's.`,
		columns: []column{
			{title: "p50, ms", key: "p50", unit: report.Digits},
			{title: "p99, ms", key: "p99", unit: report.Digits},
			{title: "p99.9, ms", key: "p999", unit: report.Digits},
			ratio("p99 against franz-go", "p99", latencyBase),
			{title: "client, cores", key: "cores", unit: report.Digits},
		},
	}
	rates := []int{1_000, 20_000}
	for _, rate := range rates {
		arms := []arm.Spec{
			{Name: "franz-go, linger 0", Client: "franz"},
			{Name: "Slipway, franz-go producing with linger 0", Client: "slipway", Order: "key", InFlight: 64},
			{Name: "franz-go, linger 2ms", Client: "franz", Linger: 2 * time.Millisecond},
			{Name: "Slipway, producing itself", Client: "slipway", Order: "key", InFlight: 64, Linger: slipwayProducer},
		}
		for i := range arms {
			arms[i].Rate, arms[i].Warmup, arms[i].Window = rate, 3*time.Second, 10*time.Second
		}
		for _, b := range o.brokers {
			s.cases = append(s.cases, testCase{
				title: fmt.Sprintf("%s records/s, %s", report.Count(float64(rate)), brokerTitle(b)), broker: b,
				topic: broker.Topic{Name: "bench.latency", Keys: manyKeys}, arms: kind("latency", arms),
			})
		}
	}
	return s
}

// latencyBase is the franz-go arm with the same producer; Slipway's own
// lingers for two milliseconds.
func latencyBase(s arm.Spec) string {
	if s.Linger == 0 {
		return "franz-go, linger 0"
	}
	return "franz-go, linger 2ms"
}

func rebalanceSuite(options) suite {
	s := suite{
		name: "rebalance", title: "Pauses while members come and go", rounds: 5, plot: 0,
		about: `One member handles 600 records/s of 6 partitions, 1 ms each. A second one joins, and leaves again when it has
handled records for 4 to 5 s. A pause is the longest time between two records of a partition after the event, the worst of the
partitions; moved partitions are those that another member has afterwards. Both are classic cooperative groups with the client's default heartbeat (3 s), at a random phase.`,
		columns: []column{
			{title: "join: moved, ms", key: "join_moved", unit: report.Digits},
			{title: "join: kept, ms", key: "join_kept", unit: report.Digits},
			{title: "leave: moved, ms", key: "leave_moved", unit: report.Digits},
			{title: "leave: kept, ms", key: "leave_kept", unit: report.Digits},
			{title: "partitions moved by the join", key: "join_count", unit: report.Digits},
			{title: "handled twice", key: "repeats", unit: report.Digits},
		},
	}
	arms := []arm.Spec{
		{Name: "franz-go, cooperative", Client: "franz"},
		{Name: "Slipway", Client: "slipway", Order: "key", InFlight: 64},
	}
	for i := range arms {
		arms[i].Work = time.Millisecond
	}
	s.cases = []testCase{{
		title: "one member joins and leaves", broker: "kafka", topic: broker.Topic{Name: "bench.rebalance", Keys: manyKeys}, arms: kind("rebalance", arms),
	}}
	return s
}

func parkedSuite(o options) suite {
	records, window := 1_000_000, 10*time.Minute
	if o.quick {
		records, window = 100_000, 2*time.Minute
	}
	s := suite{
		name: "parked", title: "A million parked records", rounds: 1, plot: 0,
		about: `Every key of a backlog fails, so all of it ends up parked, while records of other keys arrive at 1,000/s and flow. Live heap is
after a collection; the columns are minutes after the group had committed the whole backlog.`,
		columns: []column{
			{title: "backlog parked after, s", key: "park_seconds", unit: report.Digits},
			{title: "handler failures", key: "failures", unit: report.Count},
			{title: "flowing records stuck", key: "stuck", unit: report.Digits},
		},
	}
	for minute := 0; time.Duration(minute)*time.Minute <= window; minute += 2 {
		s.columns = append(s.columns, column{title: fmt.Sprintf("RSS at %d, MiB", minute), key: fmt.Sprintf("rss_%02d", minute), unit: report.Digits})
	}
	for minute := 0; time.Duration(minute)*time.Minute <= window; minute += 2 {
		s.columns = append(s.columns, column{title: fmt.Sprintf("live heap at %d, MiB", minute), key: fmt.Sprintf("heap_%02d", minute), unit: report.Digits})
	}
	s.plot = 3 + (len(s.columns)-3)/2 - 1 // RSS at the end
	arms := []arm.Spec{{Name: "Slipway", Client: "slipway", Order: "key", InFlight: 256, Rate: 1_000, Window: window, Retry: cmp.Or(o.retry, parkedRetry)}}
	s.cases = []testCase{{
		title: fmt.Sprintf("%s parked records", report.Count(float64(records))), broker: "kafka",
		topic: broker.Topic{Name: "bench.parked.v1", Records: records, Size: 100, Keys: manyKeys}, arms: kind("parked", arms),
	}}
	return s
}
