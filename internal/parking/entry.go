package parking

import (
	"cmp"
	"time"
)

// A Ticket is a record's place in its source partition.
type Ticket struct {
	// Life is the id of the topic, or of the redrive that brought the record
	// back. Tickets of different lives are never matched and have no order.
	Life string

	// Epoch is the leader epoch that the record was written under, -1 if
	// brokers did not tell. A record that was written over another one after
	// an unclean election has the same offset and a higher epoch.
	Epoch int32

	Offset int64
}

// Compare orders tickets of one life.
func (t Ticket) Compare(o Ticket) int {
	return cmp.Or(cmp.Compare(t.Epoch, o.Epoch), cmp.Compare(t.Offset, o.Offset))
}

// A Kind says what a record of the retry topic is.
type Kind uint8

// The kinds.
const (
	Copy    Kind = iota + 1 // a record that waits, with its bytes; the newest copy of a ticket counts
	Mark                    // everything of the key up to the ticket is settled
	Fence                   // from here on, what carries a lower fence was written by a former owner
	Hold                    // the key is parked by hand, or no longer is; the newest of a key counts
	Command                 // what an operator asks for
)

// An Op is what a command asks for.
type Op uint8

// The operations.
const (
	Release Op = iota + 1 // a parked ticket runs again from its first attempt; without a ticket, the key goes on
	Skip                  // a ticket is settled without being handled
	Park                  // the key waits from now on
	Inject                // the record that the command carries is handled, in a life of its own
)

// An Entry is what a record of the retry topic says, beside the bytes of the
// source record that copies and injections carry.
type Entry struct {
	Kind   Kind
	Op     Op     // of a command
	Fence  uint64 // of the writer; commands have none
	Ticket Ticket // of all but fences and holds; a command that concerns its key has no life

	// Key is what is kept in order: the source record's key, an empty one
	// where the whole partition is, nil where nothing is. It is not always
	// the key of the record.
	Key []byte

	Attempts int       // that have failed
	First    time.Time // when the first of them did; zero if none has
	Due      time.Time // not to run before; zero for at once
	Parked   bool      // waits for an operator
	Since    int64     // the offset of the first copy that was parked, -1 for this one; of a hold, that of its command
	Held     bool      // of a hold: whether it begins or ends

	Time     time.Time // when the source record was written; of a hold, when the key was parked first
	Redrives int       // how often it was brought back from the dead letters; of a release, when its letter was written
}
