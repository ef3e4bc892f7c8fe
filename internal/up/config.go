package up

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/proc"
)

// FailureStatus is the exit status of slipway up -- COMMAND when Slipway itself
// failed, so that it cannot be taken for the command's own. It is what env,
// docker and their like use.
const FailureStatus = 125

// The brokers a run can start.
const (
	EmbeddedBroker = "embedded" // inside this process
	KafkaBroker    = "kafka"    // Apache Kafka as processes on this machine
)

// A Config says what to run.
type Config struct {
	// Dir is the estate's directory.
	Dir string

	// Broker is [EmbeddedBroker] or [KafkaBroker].
	//
	// Defaults to what clusters.yaml binds the environment to.
	Broker string

	// Command runs once everything consumes, and ends the run. Without one the
	// run lasts until its context is cancelled.
	Command []string

	// Env is the environment to resolve the estate in.
	//
	// Defaults to dev.
	Env string

	// Environ is where services and the command get what they inherit from,
	// as os.Environ gives it.
	//
	// Defaults to this process's environment.
	Environ []string

	// Grace is how long services have to stop.
	//
	// Defaults to 20 seconds.
	Grace time.Duration

	// Kill, once closed, ends all waiting: what still runs is killed. It is
	// for the second Ctrl-C, after the first has cancelled the context.
	Kill <-chan struct{}

	// Observe is told what happens, one event at a time. It is called from
	// several goroutines and never concurrently; while it does not return, the
	// services' output waits.
	//
	// Defaults to nobody.
	Observe func(Event)

	// ReadyTimeout is how long services may take from their start until
	// everything consumes.
	//
	// Defaults to 1 minute.
	ReadyTimeout time.Duration

	// Restart says how services that end are started again.
	//
	// Defaults to pauses of 1 to 30 seconds and giving up at the fifth end
	// within a minute.
	Restart proc.Policy

	// StateDir holds a directory for each estate.
	//
	// Defaults to slipway/up in the user's cache directory.
	StateDir string

	// Store is where services have their databases: [SQLiteStore],
	// [PostgresStore], or the URL of a Postgres server with a user that may
	// create roles and databases.
	//
	// Defaults to SQLiteStore.
	Store string

	// Stdin, Stdout and Stderr are the command's own, untouched. Nil means the
	// null device.
	Stdin, Stdout, Stderr *os.File
}

func (c Config) withDefaults() Config {
	c.Env = cmp.Or(c.Env, "dev")
	c.Grace = cmp.Or(c.Grace, 20*time.Second)
	c.ReadyTimeout = cmp.Or(c.ReadyTimeout, time.Minute)
	if c.Environ == nil {
		c.Environ = os.Environ() //nolint:forbidigo // the documented default
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("Dir is empty"))
	}
	if c.Grace < 0 {
		errs = append(errs, fmt.Errorf("Grace is %v, want more than 0", c.Grace))
	}
	if c.ReadyTimeout < 0 {
		errs = append(errs, fmt.Errorf("ReadyTimeout is %v, want more than 0", c.ReadyTimeout))
	}
	switch c.Broker {
	case "", EmbeddedBroker, KafkaBroker:
	default:
		errs = append(errs, diag.New(diag.UpBroker, "there is no broker %q", c.Broker))
	}
	if err := checkStore(c.Store); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
