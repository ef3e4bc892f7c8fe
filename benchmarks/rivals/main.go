// Command rivals measures Slipway's consumer beside others, on one machine and
// in one run: a bare franz-go loop and two prototypes on top of it, sarama,
// kafka-go, and Confluent's Parallel Consumer.
//
//	go run ./rivals -suite consume,slow,poison,latency,rebalance
//	go run ./rivals -suite parked            # ten minutes and more
//	go run ./rivals -suite slow -quick       # a smaller matrix
//
// It starts the brokers, runs every arm in a process of its own, the arms of a
// case in turn in each round and in another order in the next, and writes a
// table and a plot of each suite. How the rivals are set up, and why, is
// written beside their code in internal/arm.
//
// Real Kafka comes from the jars that slipway dev has fetched; the Java arm is
// fetched by Maven into parallelconsumer/lib and left out, with a line that
// says so, where Java or Maven is missing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
)

// options are the driver's flags.
type options struct {
	suites, brokers []string
	rounds          int // 0 is each suite's own number
	quick           bool
	out             string
	only            *regexp.Regexp
	retry           string
	quiet           float64
	commit          string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if len(os.Args) == 3 && os.Args[1] == "arm" {
		err = runArm(ctx, os.Args[2])
	} else {
		err = drive(ctx, parse(os.Args[1:]))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(args []string) options {
	flags := flag.NewFlagSet("rivals", flag.ExitOnError)
	suites := flags.String("suite", "consume,slow,poison,latency,rebalance", "suites to run; parked, produce, relay and telemetry are the others")
	brokers := flags.String("broker", "kafka,kfake", "brokers of the suites that run on both")
	only := flags.String("case", "", "run the cases whose title matches this expression")
	var o options
	flags.IntVar(&o.rounds, "rounds", 0, "rounds of each case; each suite has its own default")
	flags.BoolVar(&o.quick, "quick", false, "fewer cases, three rounds")
	flags.StringVar(&o.out, "out", "results", "directory of the tables and plots")
	flags.StringVar(&o.retry, "retry", "", "the retry policy of the suites poison and parked, as a contract writes it")
	flags.Float64Var(&o.quiet, "quiet", 0, "wait before each arm until other work keeps fewer cores busy, for five minutes at most; 0 does not wait")
	flags.StringVar(&o.commit, "commit", "", "the commit that is measured, where git cannot tell")
	_ = flags.Parse(args) // it exits
	o.suites, o.brokers = strings.Split(*suites, ","), strings.Split(*brokers, ",")
	o.only = regexp.MustCompile(*only)
	return o
}

// resultMark begins the line of an arm's output that is its result.
const resultMark = "result: "

// runArm is the arm's process.
func runArm(ctx context.Context, text string) error {
	var s arm.Spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	r, err := arm.Run(ctx, s)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	out, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s%s\n", resultMark, out)
	return err
}
