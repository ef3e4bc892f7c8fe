// Package record knows what Slipway writes into a record's headers.
//
// Headers are evidence, never instructions: nothing is routed, retried or
// trusted because of a header, since whoever may write a topic may write them.
// The set is bounded, and a header that is there already is replaced, so a
// record that goes round many times does not grow.
//
// Events carry CloudEvents attributes in Kafka's binary mode (ce_id, ce_type …).
// Dead letters carry the names of KIP-1191 (__dlq.errors.*), which the tools
// of the Kafka project read, and a few of our own beside them.
package record

import (
	"slices"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The CloudEvents attributes, as the Kafka binding spells them.
const (
	EventID          = "ce_id"
	EventSource      = "ce_source"
	EventSpecVersion = "ce_specversion"
	EventTime        = "ce_time"
	EventType        = "ce_type"
	ContentType      = "content-type"
)

// The headers of a dead letter (KIP-1191).
const (
	ErrorTopic         = "__dlq.errors.topic"
	ErrorPartition     = "__dlq.errors.partition"
	ErrorOffset        = "__dlq.errors.offset"
	ErrorGroup         = "__dlq.errors.group"
	ErrorDeliveryCount = "__dlq.errors.delivery.count"
	ErrorMessage       = "__dlq.errors.message"
)

// What Slipway adds to a dead letter.
const (
	Class        = "slipway-error-class"   // the error's Go type
	Epoch        = "slipway-epoch"         // the leader epoch that the record was written under
	FirstFailure = "slipway-first-failure" // RFC 3339
	LastFailure  = "slipway-last-failure"  // RFC 3339
	Life         = "slipway-life"          // the id of the record's topic, or of the redrive that brought it back
	Redrives     = "slipway-redrives"      // how often it was brought back
	Reason       = "slipway-reason"        // one of the reasons below
	Timestamp    = "slipway-timestamp"     // the original record's, RFC 3339
	Stack        = "slipway-stack"         // of a handler that panicked
)

// The reasons of a dead letter.
const (
	Exhausted   = "exhausted"   // the last attempt failed
	Foreign     = "foreign"     // evidence: a record in the retry topic that is none of ours
	Oversize    = "oversize"    // evidence: a batch that unpacks to more than anybody should hold
	Parked      = "parked"      // evidence: the key waits in the retry topic
	Rejected    = "rejected"    // the handler said so, or the class of its error
	Undecodable = "undecodable" // the value is not what its schema says
)

// The bounds of what is copied from an error into a header.
const (
	MaxMessage = 1 << 10
	MaxStack   = 4 << 10
)

// Get returns the value of the last header of a name, as text.
func Get(headers []kgo.RecordHeader, key string) (string, bool) {
	for _, h := range slices.Backward(headers) {
		if h.Key == key {
			return string(h.Value), true
		}
	}
	return "", false
}

// Set returns the headers with one value under the name: the first one of the
// name is replaced, further ones are removed. The input is not changed.
func Set(headers []kgo.RecordHeader, key, value string) []kgo.RecordHeader {
	out := make([]kgo.RecordHeader, 0, len(headers)+1)
	found := false
	for _, h := range headers {
		switch {
		case h.Key != key:
			out = append(out, h)
		case !found:
			found = true
			out = append(out, kgo.RecordHeader{Key: key, Value: []byte(value)})
		}
	}
	if !found {
		out = append(out, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	return out
}

// Evidence reports whether a header is one that a dead letter's evidence is
// written in. A record that has it before it is dead was given it by somebody
// else.
func Evidence(name string) bool {
	switch name {
	case ErrorTopic, ErrorPartition, ErrorOffset, ErrorGroup, ErrorDeliveryCount, ErrorMessage,
		Class, Epoch, FirstFailure, LastFailure, Life, Redrives, Reason, Timestamp, Stack:
		return true
	}
	return false
}

// Cut shortens text to at most n bytes without splitting a character.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
