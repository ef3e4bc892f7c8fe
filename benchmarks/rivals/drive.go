package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-go/slipway/benchmarks/internal/arm"
	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/benchmarks/internal/report"
	"github.com/slipway-go/slipway/internal/postgres"
)

// A driver runs suites.
type driver struct {
	options
	dir      string // temporary
	self     string // this program, which is every arm's
	java     *javaArm
	brokers  map[string]*broker.Broker
	backlogs map[string]broker.Backlog // by broker and topic
	runs     int                       // counts arms, to name their groups
	postgres *postgres.Server
	data     string // its directory

	collector *http.Server
	collects  string // its address
}

func drive(ctx context.Context, o options) (err error) {
	chosen, err := suites(o)
	if err != nil {
		return err
	}
	d := &driver{options: o, brokers: make(map[string]*broker.Broker), backlogs: make(map[string]broker.Backlog)}
	if d.self, err = os.Executable(); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "rivals-"); err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	defer func() { err = errors.Join(err, d.close()) }()
	for _, s := range chosen {
		if err := d.run(ctx, s); err != nil {
			return fmt.Errorf("suite %s: %w", s.name, err)
		}
	}
	return nil
}

func (d *driver) close() error {
	var errs []error
	for _, b := range d.brokers {
		errs = append(errs, b.Close())
	}
	if d.postgres != nil {
		errs = append(errs, d.postgres.Stop(), os.RemoveAll(d.data))
	}
	if d.collector != nil {
		errs = append(errs, d.collector.Close())
	}
	return errors.Join(errs...)
}

// run runs a suite and writes its page anew after each case, so that what was
// measured is not lost with what was not.
func (d *driver) run(ctx context.Context, s suite) error {
	p := newPage(d, s)
	for _, c := range s.cases {
		if !d.only.MatchString(c.title) {
			continue
		}
		m, err := d.measure(ctx, s, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		p.add(m)
		if err := p.write(d.out); err != nil {
			return err
		}
	}
	return nil
}

// measured is what became of a case: for each round the result of each arm, nil
// where it failed.
type measured struct {
	testCase
	rounds   [][]arm.Result
	failures map[string]error // by arm's name, the last one
	idle     report.Samples   // cores that were busy before each arm
}

// measure runs the arms of a case in turn, each round beginning with another
// one.
func (d *driver) measure(ctx context.Context, s suite, c testCase) (measured, error) {
	m := measured{testCase: c, failures: make(map[string]error)}
	rounds := cmp.Or(d.rounds, s.rounds)
	if d.quick {
		rounds = min(rounds, 3)
	}
	if c.arms[0].Kind == "consume" { // it is short, and the broker's code is cold
		_, _ = d.arm(ctx, c, c.arms[0])
	}
	for round := range rounds {
		results := make([]arm.Result, len(c.arms))
		for i := range c.arms {
			i = (i + round) % len(c.arms)
			if ctx.Err() != nil {
				return m, context.Cause(ctx)
			}
			m.idle = append(m.idle, d.awaitQuiet(ctx))
			r, err := d.arm(ctx, c, c.arms[i])
			switch {
			case err != nil:
				m.failures[c.arms[i].Name] = err
				d.say("%s, round %d: %s: %v", c.title, round+1, c.arms[i].Name, err)
			default:
				results[i] = r
				d.say("%s, round %d: %s: %s", c.title, round+1, c.arms[i].Name, brief(s, c, c.arms[i], r))
			}
		}
		m.rounds = append(m.rounds, results)
	}
	return m, nil
}

// awaitQuiet waits for other work on the machine to let up, if it was asked to,
// and returns how many cores that keeps busy.
func (d *driver) awaitQuiet(ctx context.Context) float64 {
	busy := idle()
	for end := time.Now().Add(5 * time.Minute); d.quiet > 0 && busy > d.quiet && time.Now().Before(end) && ctx.Err() == nil; {
		busy = idle()
	}
	return busy
}

// arm runs one arm on what its case prepares.
func (d *driver) arm(ctx context.Context, c testCase, s arm.Spec) (arm.Result, error) {
	b, err := d.broker(ctx, c.broker)
	if err != nil {
		return nil, err
	}
	d.runs++
	s.Run = fmt.Sprintf("b%d-%d", os.Getpid(), d.runs)
	s.Endpoint, s.Topic, s.Keys = b.Endpoint, c.topic.Name, c.topic.Keys
	if s.Plaintext {
		s.Endpoint = b.Endpoint.Bare()
	}
	if c.topic.Records == 0 {
		s.Topic = fmt.Sprintf("%s-%d.v1", c.topic.Name, d.runs)
	} else {
		backlog, err := d.backlog(ctx, c, b)
		if err != nil {
			return nil, err
		}
		s.Ends, s.Zero = backlog.Ends, backlog.Zero
	}
	if s.Kind == "relay" {
		if s.Database, err = d.database(ctx); err != nil {
			return nil, err
		}
	}
	if s.Telemetry.Traces != "" {
		if s.Telemetry.Collector, err = d.collect(ctx); err != nil {
			return nil, err
		}
	}
	if s.Client == javaClient {
		return d.runJava(ctx, s)
	}
	return d.runSelf(ctx, s)
}

func (d *driver) broker(ctx context.Context, name string) (*broker.Broker, error) {
	if b := d.brokers[name]; b != nil {
		return b, nil
	}
	start := map[string]func(context.Context, string) (*broker.Broker, error){"kafka": broker.StartKafka, "kfake": broker.StartFake}[name]
	if start == nil {
		return nil, fmt.Errorf("no broker %q", name)
	}
	dir := filepath.Join(d.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	b, err := start(ctx, dir)
	if err == nil {
		d.brokers[name] = b
	}
	return b, err
}

// database makes a database for one arm, on a server that starts with the first.
func (d *driver) database(ctx context.Context) (string, error) {
	if d.postgres == nil {
		if d.data == "" { // not in dir, which is closed to the user that Postgres runs as where this one is root
			dir, err := os.MkdirTemp("", "rivals-postgres-")
			if err != nil {
				return "", err
			}
			d.data = dir
		}
		server, err := postgres.Start(ctx, postgres.Config{
			Dir:      d.data,
			Settings: map[string]string{"wal_level": "logical", "max_connections": "200"},
		})
		if err != nil {
			return "", err
		}
		d.postgres = server
	}
	name := fmt.Sprintf("arm%d", d.runs)
	if err := d.postgres.Create(ctx, name); err != nil {
		return "", err
	}
	return d.postgres.URL(name), nil
}

// backlog fills a case's topic the first time that it is asked for.
func (d *driver) backlog(ctx context.Context, c testCase, b *broker.Broker) (broker.Backlog, error) {
	id := c.broker + " " + c.topic.Name
	if known, ok := d.backlogs[id]; ok {
		return known, nil
	}
	began := time.Now()
	filled, err := broker.Fill(ctx, b.Endpoint, c.topic)
	if err != nil {
		return filled, fmt.Errorf("fill %s: %w", c.topic.Name, err)
	}
	d.backlogs[id] = filled
	d.say("%s: %d records written in %.1f s", id, c.topic.Records, time.Since(began).Seconds())
	return filled, nil
}

// say tells of progress.
func (d *driver) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
