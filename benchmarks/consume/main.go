// Command consume measures what the SDK costs: records per second and client
// CPU of an empty handler, beside a bare franz-go poll loop on the same cluster
// with the same TLS, login, group and commits.
//
//	go run ./consume -records 500000 -rounds 5
//
// Both read the same topic of 6 partitions to its end, in turn, a new group
// each time. The cluster is kfake in the same process, so the CPU of a round is
// client and broker together, and only the ratio of two arms in one round means
// something. Every arm checks that it saw each record exactly once.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
)

const topic = "bench.read.v1"

const manifest = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %s, owner: team-bench}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  bench.read.v1: {partitions: 6, key: none}
consumes:
  bench.read.v1: {order: %s, concurrency: 64, preset: latency, retry: {delays: [1s], then: stop}}
`

func main() {
	records := flag.Int("records", 500_000, "records to read in each round")
	rounds := flag.Int("rounds", 5, "rounds; each runs every arm once")
	size := flag.Int("size", 100, "bytes of a value")
	flag.Parse()
	if err := run(*records, *rounds, *size); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An arm is one way to read the topic; n tells runs apart.
type arm struct {
	name string
	run  func(b *bench, n int) error
}

type result struct {
	rate   float64 // records per second
	cpu    float64 // CPU seconds per million records, broker included
	allocs float64 // per record, broker included
}

func run(records, rounds, size int) error {
	b, err := newBench(records, size)
	if err != nil {
		return err
	}
	defer b.close()
	arms := []arm{
		{"franz-go poll loop", (*bench).bare},
		{"slipway, order: key", func(b *bench, n int) error { return b.slipway(n, "key") }},
		{"slipway, order: partition", func(b *bench, n int) error { return b.slipway(n, "partition") }},
	}
	results := make([][]result, len(arms))
	for round := range rounds + 1 {
		for i := range arms {
			i = (i + round) % len(arms) // no arm is always the first
			r, err := b.measure(func() error { return arms[i].run(b, round) })
			if err != nil {
				return fmt.Errorf("%s: %w", arms[i].name, err)
			}
			if round > 0 { // the first round warms up
				results[i] = append(results[i], r)
			}
		}
	}
	report(arms, results, records, rounds, size)
	return nil
}

// measure runs one arm and weighs it.
func (b *bench) measure(f func() error) (result, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, began := cpuTime(), time.Now()
	err := f()
	took, used := time.Since(began), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	n := float64(b.records)
	return result{n / took.Seconds(), used.Seconds() / n * 1e6, float64(after.Mallocs-before.Mallocs) / n}, err
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// bare is the loop that a Go team writes without the SDK.
func (b *bench) bare(n int) error {
	client, err := kgo.NewClient(append(b.options(),
		kgo.ConsumerGroup(fmt.Sprint("bare-", n)), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	committed := time.Now()
	for seen := 0; seen < b.records; {
		fetches := client.PollRecords(context.Background(), 1_000)
		if err := fetches.Err(); err != nil {
			return err
		}
		seen += fetches.NumRecords()
		if time.Since(committed) > time.Second {
			if err := client.CommitUncommittedOffsets(context.Background()); err != nil {
				return err
			}
			committed = time.Now()
		}
	}
	return client.CommitUncommittedOffsets(context.Background())
}

// slipway reads the topic with an empty handler.
func (b *bench) slipway(n int, order string) error {
	files := fstest.MapFS{"slipway.yaml": {Data: fmt.Appendf(nil, manifest, fmt.Sprint("reader-", order, "-", n), order)}}
	app, err := slipway.New(slipway.Config{Files: files, Environment: b.environment(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	var seen atomic.Int64
	ctx, done := context.WithCancel(context.Background())
	slipway.Handle(app, topic, func(context.Context, *slipway.Message[[]byte]) error {
		if seen.Add(1) == int64(b.records) {
			done()
		}
		return nil
	})
	if err := app.Run(ctx); err != nil {
		return err
	}
	if got := seen.Load(); got != int64(b.records) {
		return fmt.Errorf("handled %d records, want %d", got, b.records)
	}
	return nil
}

func report(arms []arm, results [][]result, records, rounds, size int) {
	fmt.Printf("%d rounds of %d records of %d bytes, 6 partitions, TLS and SCRAM, kfake in process; %s, %d cores, GOMAXPROCS %d\n\n",
		rounds, records, size, runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	fmt.Println("| arm | records/s (min / median / max) | rate against the poll loop | CPU s per million | allocations per record |")
	fmt.Println("|---|---|---|---|---|")
	for i, a := range arms {
		ratio := column(results[i], func(j int) float64 { return results[i][j].rate / results[0][j].rate })
		fmt.Printf("| %s | %s | %s | %s | %s |\n", a.name,
			spread("%.0f", column(results[i], func(j int) float64 { return results[i][j].rate })), spread("%.2f×", ratio),
			spread("%.2f", column(results[i], func(j int) float64 { return results[i][j].cpu })),
			spread("%.2f", column(results[i], func(j int) float64 { return results[i][j].allocs })))
	}
}

func column(rows []result, value func(int) float64) []float64 {
	var v []float64
	for j := range rows {
		v = append(v, value(j))
	}
	slices.Sort(v)
	return v
}

// spread prints min, median and max of sorted figures.
func spread(format string, v []float64) string {
	return fmt.Sprintf(format+" / **"+format+"** / "+format, v[0], v[len(v)/2], v[len(v)-1])
}
