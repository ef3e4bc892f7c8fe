package history

import "time"

// An Event is one line of a history: [Send], [Read], [Effect], [Commit],
// [Assign], [Revoke], [Fault] or [Final].
type Event interface{ line() line }

// An Outcome is how an operation ended, as far as the one who did it knows.
type Outcome string

// The outcomes. The zero value is the honest one: a process that died between
// doing and noting leaves it behind.
const (
	Indefinite Outcome = ""       // begun; may or may not have happened
	OK         Outcome = "ok"     // happened: acknowledged, applied
	Failed     Outcome = "failed" // did not happen and will not by itself
	Parked     Outcome = "parked" // effects only: kept for later in the retry topic
	Dead       Outcome = "dead"   // effects only: dead-lettered, or skipped by an operator
)

// A Place is where a record lies in its topic.
type Place struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// A Send is one record handed to the system. Note it before sending, without
// an outcome, and again with the outcome: the two are one send. A sender that
// tries again under the same id notes a further outcome only if it is [OK],
// because the earlier try may still arrive.
type Send struct {
	ID    string `json:"id"` // unique within the topic
	Topic string `json:"topic"`
	Key   string `json:"key,omitempty"`

	// Seq numbers the records of a key in the order they were sent: 1, 2, 3.
	// Zero means that no order is promised, and none is checked.
	Seq int64 `json:"seq,omitempty"`

	Outcome Outcome `json:"outcome,omitempty"`
	Place   *Place  `json:"place,omitempty"` // where it was acknowledged, if known
}

// A Read is one record found in a topic.
type Read struct {
	ID     string `json:"id"`
	Topic  string `json:"topic"`
	Key    string `json:"key,omitempty"`
	Place  Place  `json:"place"`
	Reader string `json:"reader,omitempty"`
}

// An Effect is one attempt of a consumer group to handle a record, or one row
// of the ledger in which it notes what it applied. Where a handler is
// recorded, [Recorder.Begin] notes both ends.
type Effect struct {
	ID    string `json:"id"`
	Topic string `json:"topic"`
	Group string `json:"group"` // who applies: a consumer group, a service

	Outcome Outcome `json:"outcome,omitempty"`

	// Start and End are when the handler began and ended. Only their order
	// matters, so any clock will do that all writers share, a ledger's row
	// number too (time.Unix(0, n)). A zero Start means unknown: order and
	// overlap are then not checked.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`

	Worker string `json:"worker,omitempty"` // the member that handled it
	Place  *Place `json:"place,omitempty"`  // where it was consumed from, if known
}

// A Commit is one committed offset: the next to be consumed.
type Commit struct {
	Group     string    `json:"group"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	At        time.Time `json:"at"` // when it was asked for
	Outcome   Outcome   `json:"outcome,omitempty"`
	Worker    string    `json:"worker,omitempty"`
}

// An Assign is a partition given to a worker, noted before it handles any
// record of it.
type Assign struct {
	Group     string    `json:"group"`
	Worker    string    `json:"worker"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	At        time.Time `json:"at"`
}

// A Revoke is a partition taken from a worker, noted by that worker when it has
// let go of it.
type Revoke struct {
	Group     string    `json:"group"`
	Worker    string    `json:"worker"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	At        time.Time `json:"at"`
}

// A Fault is something done to the system on purpose. It is counted by name,
// so that a test can require that what it meant to inject was injected.
type Fault struct {
	Name  string    `json:"name"`
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
}

// A Final says that the run came to its end for one topic: with a Group, that
// the group has nothing of it left to do; without, that the topic was read to
// its end. What has no Final cannot pass.
type Final struct {
	Topic string `json:"topic"`
	Group string `json:"group,omitempty"`

	// AtLeastOnce permits repeats: of a record in the topic, or of an effect
	// by the group. They are still counted.
	AtLeastOnce bool `json:"at_least_once,omitempty"`
}

func (e Send) line() line   { return line{Send: &e} }
func (e Read) line() line   { return line{Read: &e} }
func (e Effect) line() line { return line{Effect: &e} }
func (e Commit) line() line { return line{Commit: &e} }
func (e Assign) line() line { return line{Assign: &e} }
func (e Revoke) line() line { return line{Revoke: &e} }
func (e Fault) line() line  { return line{Fault: &e} }
func (e Final) line() line  { return line{Final: &e} }
