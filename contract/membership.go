package contract

import "time"

// A Preset is a set of fetch settings.
type Preset string

// The presets. Latency is the default: what waits for more records should be asked for.
const (
	Throughput Preset = "throughput"
	Latency    Preset = "latency"
)

// A Protocol is the group protocol.
type Protocol string

// The group protocols. Classic is the default.
const (
	Classic  Protocol = "classic"
	Consumer Protocol = "consumer" // KIP-848
)

// An Assignment is the rule by which a classic group shares out partitions.
// With protocol consumer it is the broker that shares them out.
type Assignment string

// The assignments. Cooperative is the default.
const (
	Cooperative Assignment = "cooperative" // balanced and sticky; only what moves is paused
	Sticky      Assignment = "sticky"      // balanced and sticky; everything is paused
	Range       Assignment = "range"       // neighbours of each topic; can be uneven
	RoundRobin  Assignment = "roundrobin"  // one after the other, across topics
)

// An Isolation says which records of transactions are read. On topics that
// nobody writes in transactions it makes no difference.
type Isolation string

// The isolations. Committed is the default, because what was aborted was never
// said. Its price is that an open transaction holds up its partition until it
// ends or the broker ends it.
const (
	Committed   Isolation = "committed"
	Uncommitted Isolation = "uncommitted"
)

// How long a member may be silent, and how often it speaks, where the contract
// says nothing: Kafka's own defaults. A third of the session is the most that
// is sound (C08.10), and not the best: members learn of a rebalance from the
// answer to their heartbeat, so it lasts as long as the slowest of them.
const (
	DefaultSession   = 45 * time.Second
	DefaultHeartbeat = 3 * time.Second
)

// HeartbeatsPerSession is how many heartbeats a session has room for at
// least: a lost one and a late one do not end it.
const HeartbeatsPerSession = 3
