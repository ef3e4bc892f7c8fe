package diag

// Running an estate with slipway up.
const (
	UpBusy       Code = "SLP-UP-001"
	UpState      Code = "SLP-UP-002"
	UpDirectory  Code = "SLP-UP-003"
	UpForeign    Code = "SLP-UP-004"
	UpBroker     Code = "SLP-UP-005"
	UpNoGo       Code = "SLP-UP-006"
	UpBuild      Code = "SLP-UP-007"
	UpNoProgram  Code = "SLP-UP-008"
	UpPort       Code = "SLP-UP-009"
	UpPortShared Code = "SLP-UP-010"
	UpListener   Code = "SLP-UP-011"
	UpNotReady   Code = "SLP-UP-012"
	UpGivenUp    Code = "SLP-UP-013"
	UpKilled     Code = "SLP-UP-014"
	UpAway       Code = "SLP-UP-015"
	UpCommand    Code = "SLP-UP-016"
	UpNotRunning Code = "SLP-UP-017"
	UpStarting   Code = "SLP-UP-018"

	UpEnvironment Code = "SLP-UP-019"
	UpStore       Code = "SLP-UP-020"
	UpConfigLost  Code = "SLP-UP-021"
)

var upEntries = []Entry{
	{UpBusy, "the estate is up already", "Another slipway up runs the same directory. Two of them would take each other's ports and programs.", "stop the other one with Ctrl-C, or use the services that it runs"},
	{UpState, "the run's directory cannot be used", "Slipway keeps built programs, and for as long as a run lasts its passwords and databases, in the user's cache directory. It cannot be created or written.", "make the directory writable, or point XDG_CACHE_HOME to one that is"},
	{UpDirectory, "the estate's directory does not exist", "The directory that was named is not there, or is a file.", "name the directory that holds the contracts"},
	{UpForeign, "the environment's cluster belongs to others", "slipway up starts a cluster of its own and never creates anything on another. The environment is bound to one that clusters.yaml declares.", "choose an environment that is bound to embedded or local, or bind one in clusters.yaml"},
	{UpBroker, "there is no such broker", "slipway up can start two kinds of broker: one inside its own process, and Apache Kafka.", "write --broker embedded or --broker kafka"},
	{UpNoGo, "the go command is missing", "slipway up compiles the services it starts.", "install Go (https://go.dev/dl) and have it in PATH"},
	{UpBuild, "a service does not compile", "go build refused the package beside the contract. Nothing was started, or what was started is stopped again.", "correct what the compiler names; go build in that directory tells the same"},
	{UpNoProgram, "a contract has no program", "The directory of the contract holds no Go package main, so there is nothing to start. Topics and rights are created all the same.", "put the service's package main beside its contract, unless its code is kept elsewhere"},
	{UpPort, "a port is taken", "Another program, often an earlier run's, listens on a port that a service of the estate needs.", "stop that program, or give the service another port"},
	{UpPortShared, "two services want one port", "In a cluster of machines each service has its own address; here they share one.", "give one of them another port for this environment: environments: {dev: {workload: {http: 8081}}}"},
	{UpListener, "the cluster does not offer the login", "The contract's auth needs a listener that the cluster of this run does not have.", "choose auth: mtls or scram-sha-512 for this environment"},
	{UpNotReady, "a service is not ready", "A service has not joined its consumer group with every partition, or does not answer 200 at /readyz, within the time it has.", "read its last lines; a service with an HTTP port must answer /readyz"},
	{UpGivenUp, "a service ends again and again", "It ended five times within a minute, or once with status 64, by which a service says that its contract, its code or its surroundings are wrong; starting it once more would not help. The run is stopped, because an estate without one of its services shows nothing true.", "read its last lines, cure what they say and start again"},
	{UpKilled, "a service did not stop in time", "It was asked to stop with SIGTERM and still ran when its time was over. What it had not committed is done again at the next start.", "let the service return when its context is cancelled, within SHUTDOWN_TIMEOUT"},
	{UpAway, "the broker or the registry does not answer", "It was stopped, or the machine is too busy. Services keep what they have and wait.", "start it again, or end the run with Ctrl-C"},
	{UpCommand, "the command cannot be started", "The command after -- was not found or is not a program.", "correct its name; it is looked up in PATH, and a path is relative to the estate"},
	{UpNotRunning, "no slipway up runs the estate", "The environment is bound to a cluster that lives as long as slipway up of the estate's directory. None runs there now: it ended, was killed, or is up for another directory.", "start it with slipway up DIR in another terminal, and name the same directory here"},
	{UpStarting, "the estate is still starting", "slipway up runs for the directory, and its cluster has not yet what the contracts call for.", "wait until it says that the cluster is planned and applied, and run the command again"},
	{UpStore, "the services cannot have their databases", "slipway up gives every service a database of its own: a file, or a role and a database on a Postgres server. The store that was named is none of these, or the server cannot be reached, or does not let its user create roles and databases.", "write --store sqlite, --store postgres, or --store with the URL of a server and of a user with CREATEDB and CREATEROLE: postgres://user@127.0.0.1:5432/postgres, with the password in the file that PGPASSFILE names, or in PGPASSWORD"},
	{UpConfigLost, "a program lacks its configuration", "There are configuration files beside the contract, and the program embeds other files and not these. It runs with the defaults, and slipway config show tells what it would run with.", "embed the directory, as in //go:embed slipway.yaml schemas config"},
	{UpEnvironment, "the estate is up in another environment", "slipway up runs one environment of an estate at a time, and the command asks for another.", "name the environment that is up with -e"},
}
