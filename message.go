package slipway

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
)

// A Message is one record of a consumed topic with its decoded value.
type Message[T any] struct {
	// Value is the decoded value; the zero T for a tombstone.
	Value T

	// Record is what the client received: Key, Topic, Partition, Offset,
	// Timestamp, Headers, and as Record.Value the bytes before they were
	// decoded. It is shared: do not change it.
	*kgo.Record

	// Attempt counts how often this record has been handed to the handler,
	// from 1. It survives a restart from the first wait on that was longer than
	// the contract's retry.inPlace; attempts after shorter ones start over.
	Attempt int

	// Tombstone reports that the record has no value: its key was deleted.
	Tombstone bool

	sends  *sends  // what is sent for it, see For
	parcel *parcel // of a batch, see Context
}

// Header returns the value of the last header of a name, or "".
func (m *Message[T]) Header(name string) string {
	if m.Record == nil { // made by hand, in a test
		return ""
	}
	v, _ := record.Get(m.Headers, name)
	return v
}

// ID identifies the event: its CloudEvents id. It is "" for a record that
// carries none; producers of Slipway always write one.
func (m *Message[T]) ID() string { return m.Header(record.EventID) }
