package up

import (
	"time"

	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/plan"
)

// An Event is one thing that happened in a run. The types that are events are
// in this file, in the order in which a run tells them. Text in them that
// comes from services is as they wrote it: a view escapes it.
type Event interface{ event() }

// A Note is something to know that is not a problem.
type Note struct{ Text string }

// Warned is a problem that the run goes on with.
type Warned struct{ Diagnostic diag.Diagnostic }

// Building tells which services are being compiled, sorted.
type Building struct{ Services []string }

// Built tells that a service was compiled.
type Built struct {
	Service string
	Took    time.Duration
}

// ClusterStarted tells that brokers and registry answer.
type ClusterStarted struct {
	Cluster   string // "embedded" or "local"
	Bootstrap string
	Registry  string // its URL
	Took      time.Duration
}

// Planned tells what will be created on the cluster, and why.
type Planned struct{ Plan *plan.Plan }

// Applied tells that one change of the plan was made, or why not.
type Applied struct {
	Change plan.Change
	Err    error
}

// ServiceStarted tells that a service's process runs.
type ServiceStarted struct {
	Service string
	PID     int
	URL     string // where it listens; empty without an HTTP port
	Admin   string // the address at which it can be operated, if it runs by package serve
	Restart int    // 0 for the first start
}

// A Line is one line that a service wrote, with spaces for tabs.
type Line struct{ Service, Text string }

// ServiceDied tells that a service's process ended by itself.
type ServiceDied struct {
	Service string
	Reason  string        // how it ended, such as "exit status 1"
	Ran     time.Duration // how long it had run
	Pause   time.Duration // until it is started again; 0 when it is not started again
}

// Ready tells that every service consumes and answers.
type Ready struct {
	Took  time.Duration // since the services were built
	Total time.Duration // since the run began
}

// Status is how far every group has come. It is told every second once the run
// is ready.
type Status struct {
	Groups  []Group // sorted by id
	Flowing bool    // something was read since the last status, or waits to be
}

// A Group is one consumer group in a [Status].
type Group struct {
	ID      string
	Service string
	Records int64 // finished since the run began
	Rate    int64 // finished a second, since the last status
	Lag     int64 // without what waits in retry topics

	// DeadLetters is how many the service wrote for what this group reads,
	// since the run began.
	DeadLetters int64
}

// Away tells that the broker or the registry no longer answers.
type Away struct{ Diagnostic diag.Diagnostic }

// Back tells that what was away answers again.
type Back struct{ What string }

// CommandStarted tells that the command after -- runs.
type CommandStarted struct{ Command []string }

// CommandEnded tells how it ended.
type CommandEnded struct {
	Status int
	Took   time.Duration
}

// Stopping tells that the run is being torn down, and why. The cause is nil
// when the command has ended.
type Stopping struct{ Cause error }

// Waiting tells that a service has not ended yet, a while after it was asked to.
type Waiting struct {
	Service string
	Asked   bool // the user has asked for the end: asking again kills
}

// ServiceStopped tells that a service ended because it was asked to.
type ServiceStopped struct {
	Service string
	Took    time.Duration
	Killed  bool // it did not end in time, or the user would not wait; a Warned or a Note says which
}

// Stopped is the last event: nothing of the run is left.
type Stopped struct {
	Took        time.Duration
	DeadLetters map[string]int64 // by service, of those that wrote any
}

func (Note) event()           {}
func (Warned) event()         {}
func (Building) event()       {}
func (Built) event()          {}
func (ClusterStarted) event() {}
func (Planned) event()        {}
func (Applied) event()        {}
func (ServiceStarted) event() {}
func (Line) event()           {}
func (ServiceDied) event()    {}
func (Ready) event()          {}
func (Status) event()         {}
func (Away) event()           {}
func (Back) event()           {}
func (CommandStarted) event() {}
func (CommandEnded) event()   {}
func (Stopping) event()       {}
func (Waiting) event()        {}
func (ServiceStopped) event() {}
func (Stopped) event()        {}
