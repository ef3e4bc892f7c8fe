package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
)

// A suite is what is measured together and becomes one page.
type suite struct {
	name    string
	title   string
	about   string // what the figures mean
	rounds  int
	columns []column
	plot    int // the column that is plotted
	cases   []testCase
}

// A testCase is arms that run in turn on one topic.
type testCase struct {
	title  string
	broker string       // kafka or kfake
	topic  broker.Topic // without records: each arm makes its own
	arms   []arm.Spec
}

// A column is a figure, or its ratio to another arm's in the same round.
type column struct {
	title string
	key   string
	unit  report.Unit
	base  func(arm.Spec) string            // of a ratio: the name of the arm that it refers to
	scale func(testCase, arm.Spec) float64 // what the figure is divided by
}

// ratio is a column beside the one named by key.
func ratio(title, key string, base func(arm.Spec) string) column {
	return column{title: title, key: key, unit: report.Times, base: base}
}

func to(name string) func(arm.Spec) string { return func(arm.Spec) string { return name } }

const (
	bareName   = "franz-go poll loop"
	serialName = "franz-go, a goroutine per partition"
	manyKeys   = 10_000
)

var backlog = broker.Topic{Name: "bench.read.v1", Records: 2_000_000, Size: 100, Keys: manyKeys}

func slipwayArm(order string, inFlight int) arm.Spec {
	return arm.Spec{Name: fmt.Sprintf("Slipway, order: %s, concurrency %d", order, inFlight), Client: "slipway", Order: order, InFlight: inFlight}
}

func consumeSuite(o options) suite {
	s := suite{
		name: "consume", title: "Consuming with an empty handler", rounds: 5, plot: 1,
		about: `A backlog of 2,000,000 records of 100 bytes in 6 partitions is read to its end, each time by a new group that commits
once a second. The rate counts from the first record; processor time (of the client's process alone) and allocations from
its start, logins included. Every arm checks that no record came twice and none was missing, which is about 0.02 s per million of
its processor time (BenchmarkCheck in internal/arm).`,
		columns: []column{
			{title: "records/s", key: "rate", unit: report.Count},
			ratio("rate against the poll loop", "rate", to(bareName)),
			{title: "CPU s per million", key: "cpu", unit: report.Digits},
			ratio("CPU against the poll loop", "cpu", to(bareName)),
			{title: "allocations per record", key: "allocs", unit: report.Digits},
			{title: "peak RSS, MiB", key: "rss", unit: report.Digits},
			{title: "to the first record, ms", key: "join", unit: report.Digits},
		},
	}
	for _, b := range o.brokers {
		arms := []arm.Spec{
			{Name: bareName, Client: "franz"},
			{Name: "franz-go, 64 hash lanes", Client: "franz-hash", InFlight: 64},
			{Name: "franz-go, a queue per key, 256 workers", Client: "franz-key", InFlight: 256},
			{Name: "sarama", Client: "sarama"},
			{Name: "kafka-go", Client: "kafkago"},
			slipwayArm("key", 1), slipwayArm("key", 64), slipwayArm("key", 256), slipwayArm("partition", 64), slipwayArm("none", 64),
		}
		s.cases = append(s.cases, testCase{title: "empty handler, " + brokerTitle(b), broker: b, topic: backlog, arms: kind("consume", arms)})
	}
	return s
}

func brokerTitle(b string) string {
	return map[string]string{"kafka": "real Kafka", "kfake": "kfake"}[b]
}

// kind completes the arms of a case.
func kind(name string, arms []arm.Spec) []arm.Spec {
	for i := range arms {
		arms[i].Kind = name
		arms[i].InFlight = cmp.Or(arms[i].InFlight, 1)
	}
	return arms
}

func slowSuite(o options) suite {
	works := []time.Duration{time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}
	inFlight := []int{256, 1000}
	if o.quick {
		works = works[:2]
	}
	s := suite{
		name: "slow", title: "Handlers that take their time", rounds: 3, plot: 1,
		about: `The handler sleeps. After a warm-up (3 s, Java 12 s) a stretch of 4 s of steady work is measured, on a backlog of 10,000 keys.
The limit is in flight ÷ work, where one record of a key is in flight at a time no more than 1 ÷ (work × the share of the most
frequent key); it assumes a sleep of exactly that length. Arms that handle one record of a partition at a time have 6 in
flight. A client that works ahead of the most frequent key out of a deep buffer can pass that key's limit for a while.
Every arm checks that no record came twice and that records of a key neither overlapped nor changed places.`,
		columns: []column{
			{title: "records/s", key: "rate", unit: report.Count},
			{title: "share of the limit", key: "rate", unit: report.Percent, scale: limit},
			ratio("rate against franz-go's partitions", "rate", to(serialName)),
			ratio("rate against Parallel Consumer", "rate", parallelName),
			{title: "CPU s per million", key: "cpu", unit: report.Digits},
			ratio("CPU against Parallel Consumer", "cpu", parallelName),
			{title: "peak RSS, MiB", key: "rss", unit: report.Digits},
		},
	}
	for _, skew := range []float64{0, 1.1} {
		keys, name := "uniform keys", "bench.uniform.v1"
		if skew > 0 {
			keys, name = fmt.Sprintf("Zipf(%.1f) keys", skew), "bench.zipf.v1"
		}
		for _, work := range works {
			if o.quick && skew > 0 && work != 5*time.Millisecond {
				continue
			}
			arms := slowArms(work, inFlight)
			if work == works[0] && skew == 0 {
				arms = append(arms, plaintextControl(work))
			}
			s.cases = append(s.cases, testCase{
				title: fmt.Sprintf("%v of work, %s", work, keys), broker: "kafka",
				topic: broker.Topic{Name: name, Records: 5_000_000, Size: 100, Keys: manyKeys, Skew: skew},
				arms:  kind("slow", arms),
			})
		}
	}
	return s
}

func slowArms(work time.Duration, inFlight []int) []arm.Spec {
	arms := []arm.Spec{
		{Name: serialName, Client: "franz-serial", InFlight: broker.Partitions},
		{Name: "sarama", Client: "sarama", InFlight: broker.Partitions},
		{Name: "kafka-go, a goroutine per partition", Client: "kafkago-serial", InFlight: broker.Partitions},
	}
	for _, n := range inFlight {
		arms = append(arms,
			slipwayArm("key", n),
			arm.Spec{Name: fmt.Sprintf("franz-go, a queue per key, %d workers", n), Client: "franz-key", InFlight: n},
			arm.Spec{Client: javaClient, InFlight: n},
		)
	}
	for i := range arms {
		arms[i].Order, arms[i].Work, arms[i].Warmup, arms[i].Window = "key", work, 3*time.Second, 4*time.Second
		if arms[i].Client == javaClient {
			arms[i].Name, arms[i].Warmup = parallelName(arms[i]), 12*time.Second
		}
	}
	return arms
}

// plaintextControl shows what TLS costs Java, where it is the likeliest to
// matter: at the highest rate.
func plaintextControl(work time.Duration) arm.Spec {
	s := arm.Spec{Client: javaClient, InFlight: 256, Order: "key", Work: work, Warmup: 12 * time.Second, Window: 4 * time.Second, Plaintext: true}
	s.Name = parallelName(s) + ", no TLS"
	return s
}

// parallelName is the Java arm with as much in flight.
func parallelName(s arm.Spec) string {
	if s.InFlight == broker.Partitions {
		return ""
	}
	return fmt.Sprintf("Parallel Consumer, KEY, %d", s.InFlight)
}

// limit is the most records a second that arithmetic allows.
func limit(c testCase, s arm.Spec) float64 {
	most := float64(s.InFlight) / s.Work.Seconds()
	return min(most, 1/(s.Work.Seconds()*c.topic.HotShare()))
}

// suites makes the suites that were asked for.
func suites(o options) ([]suite, error) {
	all := []func(options) suite{consumeSuite, slowSuite, poisonSuite, latencySuite, rebalanceSuite, parkedSuite, produceSuite, relaySuite, telemetrySuite}
	var chosen []suite
	for _, name := range o.suites {
		at := slices.IndexFunc(all, func(f func(options) suite) bool { return f(o).name == name })
		if at < 0 {
			return nil, fmt.Errorf("no suite %q", name)
		}
		chosen = append(chosen, all[at](o))
	}
	return chosen, nil
}
