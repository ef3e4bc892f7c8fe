// Package up runs a whole estate on this machine: a cluster of its own, what
// the contracts call for on it, and every service as a process.
//
// # A run
//
// [Run] loads and validates the estate, takes the estate's lock and looks
// whether the services' ports are free. Then two things happen side by side:
// the services are built, and a fresh cluster is started and the plan applied
// to it. When both are done the services are started, each with only its own
// identity; the run is ready when every group is stable with all partitions
// assigned and every service with an HTTP port answers /readyz. From then on
// the run reports a [Status] a second, or runs one command, until it ends.
//
// A run tells what happens as [Event] values and prints nothing itself.
//
// # What a service gets
//
// A service's environment is written from scratch: the variables of the
// contract between Slipway and services, OTEL_*, and the few that any program
// needs (PATH, HOME, TMPDIR and the like). CONFIG_PATH leads a program that embeds
// config/ to its source, so that an edit reaches the running service. Nothing else of this process's
// environment reaches it, so no credential of the user's shell does. Passwords
// and keys are files that only this user can read, below a directory that is
// removed when the run ends.
//
// The command after -- is the user's own: it keeps the user's environment and
// terminal, and gets an identity that may read every topic of the estate and
// write none.
//
// # An operator
//
// Whoever has the same user may work on the run from another terminal: once the
// cluster is what the contracts call for, the run's directory holds a file that
// says where it is, and files with the logins of its administrator and of each
// service's redrive user. [Find] looks for it by the estate's directory, and
// takes the lock, not the file, for the proof that the run is alive.
//
// # Failure
//
// A service that ends is started again after a pause. One that ends five times
// within a minute is given up on, as is at once one that ends with status 64,
// which no restart cures, and that ends the run: an estate with a
// service missing tells its user nothing true. A broker or registry that goes
// away is reported and waited for, because services wait for it too.
//
// # The end
//
// When the context is cancelled the command is stopped first, then every
// service gets SIGTERM and 20 seconds, then the cluster is stopped and the
// run's directory removed; all of it within 30 seconds. [Config.Kill] ends the
// waiting. Children are those of package proc: they do not outlive this
// process even if it is killed.
//
// # State
//
// Each estate has a directory in the user's cache. It holds the lock, which
// the kernel drops with the process that had it; the programs as built, so
// that the next build is quick; and the run's own directory. Records, groups
// and databases do not survive a run. Databases are SQLite files, or on a Postgres
// server, the run's own or a given one, where each service gets a role and a
// database of names that no other run has. On a given server a run that is killed
// leaves them behind; they begin with slipway_. What a killed run left behind is removed
// by the next one.
package up
