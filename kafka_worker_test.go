//go:build kafka

package slipway_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/proc"
	"github.com/slipway-go/slipway/slipwaytest/history"
)

// What a consumer process is told by its environment. It is the test binary:
// one that is killed takes with it all that a real one would.
const (
	workerName    = "SLIPWAY_TEST_WORKER"  // tells incarnations apart; set, it makes the binary a consumer
	workerService = "SLIPWAY_TEST_SERVICE" // whose
	workerJournal = "SLIPWAY_TEST_JOURNAL" // the file to note effects in
	workerRepairs = "SLIPWAY_TEST_REPAIRS" // the directory that names what was repaired
	workerPace    = "SLIPWAY_TEST_PACE"    // how long a handler takes at most
	workerCuts    = "SLIPWAY_TEST_CUTS"    // the file that says which brokers are cut off
	workerGrace   = 40 * time.Second       // for its end in order
	shortWait     = 50 * time.Millisecond  // a wait that is spent in place
	long          = 700 * time.Millisecond // one that is spent in the retry topic
)

// The plans: what a record says is to become of it.
const (
	planFine  = "fine"  // handled at once
	planBrief = "brief" // fails once and waits in place
	planLong  = "long"  // fails once and waits in the retry topic
	planTwice = "twice" // both
	planPark  = "park"  // parks its key until that is repaired and released
)

// work is the main of a consumer process.
func work() int {
	if err := consume(); err != nil {
		fmt.Fprintln(os.Stderr, "worker ended:", err)
		return 1
	}
	return 0
}

func consume() error {
	env, err := slipway.EnvironmentFrom(os.LookupEnv)
	if err != nil {
		return err
	}
	service := os.Getenv(workerService)
	own, err := fs.Sub(estateFiles(), service)
	if err != nil {
		return err
	}
	effects, err := os.OpenFile(os.Getenv(workerJournal), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	pace, err := time.ParseDuration(os.Getenv(workerPace))
	if err != nil {
		return err
	}
	cfg := slipway.Config{
		Files: own, Environment: env, Instance: os.Getenv(workerName), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if file := os.Getenv(workerCuts); file != "" {
		cfg.Dial = watchCuts(file).dial
	}
	app, err := slipway.New(cfg)
	if err != nil {
		return err
	}
	topic := service + ".in.v1"
	h := &laborer{Recorder: history.NewRecorder(effects), group: "svc-" + service + "-dev", name: cfg.Instance, pace: pace}
	slipway.NewProducer[[]byte](app, topic)
	slipway.Handle(app, topic, h.handle)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return errors.Join(app.Run(ctx), h.Err())
}

// A laborer handles records as they say, and notes it before anybody can hear
// of it.
type laborer struct {
	*history.Recorder
	group, name string
	pace        time.Duration
}

func (l *laborer) handle(_ context.Context, m *slipway.Message[[]byte]) error {
	end := l.Begin(history.Effect{
		ID: m.ID(), Topic: m.Topic, Group: l.group, Worker: l.name,
		Place: &history.Place{Partition: m.Partition, Offset: m.Offset},
	})
	<-time.After(rand.N(l.pace))
	err := verdict(string(m.Value), m.ID(), m.Attempt)
	if err != nil {
		end(history.Failed)
		return err
	}
	end(history.OK)
	return nil
}

// verdict is what a record's plan says of an attempt.
func verdict(plan, id string, attempt int) error {
	err := errors.New("not yet")
	switch {
	case plan == planPark && !repaired(id):
		return slipway.Park(errors.New("nobody knows this"))
	case (plan == planBrief || plan == planTwice) && attempt == 1:
		return slipway.RetryAfter(shortWait, err)
	case plan == planLong && attempt == 1, plan == planTwice && attempt == 2:
		return slipway.RetryAfter(long, err)
	default:
		return nil
	}
}

func repaired(id string) bool {
	_, err := os.Stat(repair(os.Getenv(workerRepairs), id))
	return err == nil
}

// repair is the file that says that a record can be handled by now.
func repair(dir, id string) string { return filepath.Join(dir, strings.ReplaceAll(id, "/", "-")) }

// A hand is a consumer process, as the test sees it.
type hand struct {
	name    string
	cuts    string // see watchCuts
	log     *journal
	process *proc.Process

	dismissed atomic.Bool // it is meant to end
}

// hire starts a consumer process.
func (x *trial) hire(t *testing.T, name string) *hand {
	t.Helper()
	w := &hand{name: name, cuts: filepath.Join(x.dir, name+".cuts"), log: &journal{}}
	if err := os.WriteFile(w.cuts, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := append(slices.Clip(x.login), "ENVIRONMENT=dev", "PATH="+os.Getenv("PATH"),
		workerName+"="+name, workerService+"="+x.service, workerRepairs+"="+x.dir, workerPace+"="+x.pace.String(),
		workerJournal+"="+filepath.Join(x.dir, name+effectsSuffix), workerCuts+"="+w.cuts)
	w.process, err = proc.Start(proc.Config{Path: program, Env: env, MaxLine: 64 << 10, Output: func(line string) {
		fmt.Fprintln(w.log, line)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.process.Kill()
		if err := os.WriteFile(filepath.Join(x.dir, name+".log"), []byte(w.log.all()), 0o600); err != nil {
			t.Error(err)
		}
	})
	return w
}

// signal stops or continues a worker.
func (w *hand) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := w.process.Signal(s); err != nil {
		t.Errorf("%v to worker %s: %v", s, w.name, err)
	}
}

// dismiss ends a worker in order.
func (w *hand) dismiss(t *testing.T) {
	t.Helper()
	w.dismissed.Store(true)
	if err := errors.Join(w.process.Stop(workerGrace), w.process.Wait()); err != nil {
		t.Errorf("worker %s ends with %v; it logged\n%s", w.name, err, w.log.tail())
	}
}
