package slipwaytest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/frontier"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/record"
)

// An Outcome is what has become of an event, as far as the cluster knows: by
// what the service has committed, and by what it has written to its retry and
// dead-letter topics.
type Outcome string

// The outcomes.
const (
	Open         Outcome = "open"          // not read yet, in a handler, or waiting in the process
	Waiting      Outcome = "waiting"       // in the retry topic: for its next attempt, or behind its key
	Parked       Outcome = "parked"        // in the retry topic: its key waits for an operator, and it is the head
	Handled      Outcome = "handled"       // its handler returned nil
	Skipped      Outcome = "skipped"       // finished unhandled: the handler said Skip, or an operator did
	DeadLettered Outcome = "dead-lettered" // in the dead-letter topic
)

// RequireOutcome waits, in virtual time, until the event with an id (see [ID])
// has come to an outcome in an entry of a service's consumes block, and fails
// the test if it does not. What an outcome is based on is committed once a
// second.
func (k *Kit) RequireOutcome(service, entry, id string, want Outcome) {
	k.t.Helper()
	e := k.entry(service, entry)
	event := e.find(id)
	var got Outcome
	for deadline := time.Now().Add(patience); ; k.Advance(250 * time.Millisecond) {
		if got = e.outcome(event); got == want {
			return
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("event %s of %s is %s in service %s after %v, want %s", id, entry, got, service, patience, want)
		}
	}
}

// An entry is an entry of a service's consumes block, under test.
type entry struct {
	*contract.Consume
	kit     *Kit
	service *contract.Service
	name    string // of the service
	retry   string // its retry topic, if it has one
}

func (k *Kit) entry(service, name string) entry {
	k.t.Helper()
	svc := k.service(service).contract
	c := svc.Consumes[name]
	if c == nil {
		k.t.Fatalf("service %s does not consume %s", service, name)
	}
	e := entry{Consume: c, kit: k.On(c.Cluster), service: svc, name: service}
	if c.Retries() {
		e.retry = svc.RetryTopic(c)
	}
	return e
}

// find returns the newest record with an event id.
func (e entry) find(id string) *kgo.Record {
	e.kit.t.Helper()
	for _, r := range slices.Backward(e.kit.Records(e.Topic)) {
		if got, ok := record.Get(r.Headers, record.EventID); ok && got == id {
			return r
		}
	}
	e.kit.t.Fatalf("topic %s has no event with id %q", e.Topic, id)
	return nil
}

// A spot is a place in a topic.
type spot struct {
	topic     string
	partition int32
	offset    int64
}

// outcome is what has become of a record.
func (e entry) outcome(r *kgo.Record) Outcome {
	e.kit.t.Helper()
	at := spot{r.Topic, r.Partition, r.Offset}
	switch retried := e.retried(r); {
	case retried != "" && retried != Handled:
		return retried
	case retried == "" && !e.finished(r):
		return Open
	case retried == "" && e.deadLettered(r):
		return DeadLettered
	case e.kit.skipped[at] || e.saidSkip(at):
		return Skipped
	}
	return Handled
}

// finished reports whether a record is below what the group has committed, or
// in the map of what is finished beyond it.
func (e entry) finished(r *kgo.Record) bool {
	e.kit.t.Helper()
	positions, err := e.kit.admin.Positions(e.kit.t.Context(), e.service.GroupID(e.Consume))
	if err != nil {
		e.kit.t.Fatalf("look at group of %s: %v", e.name, err)
	}
	at, ok := positions[kafka.Partition{Topic: r.Topic, ID: r.Partition}]
	if !ok || r.Offset < at.Offset {
		return ok
	}
	m, _ := frontier.Decode(at.Metadata, at.Offset)
	return m.Ahead.Contains(frontier.Position{Offset: r.Offset, Epoch: r.LeaderEpoch})
}

// retried is what the retry topic says of a record; empty if it says nothing,
// and Handled if it was settled there.
func (e entry) retried(source *kgo.Record) Outcome {
	if e.retry == "" {
		return ""
	}
	var found Outcome
	var ticket parking.Ticket
	for _, r := range e.kit.Records(e.retry) {
		said, err := parking.Decode(r)
		if err != nil || r.Partition != source.Partition {
			continue
		}
		switch {
		case said.Kind == parking.Mark && found != "" && said.Ticket.Life == ticket.Life && said.Ticket.Offset >= ticket.Offset:
			found = e.settled(source, ticket)
		case said.Kind == parking.Copy && said.Ticket.Offset == source.Offset && !e.elsewhere(said),
			said.Kind == parking.Command && said.Op == parking.Inject && sameEvent(r, source):
			found, ticket = Waiting, said.Ticket
			if said.Parked {
				found = Parked
			}
		case said.Kind == parking.Copy && said.Ticket == ticket:
			found = Waiting
			if said.Parked {
				found = Parked
			}
		}
	}
	return found
}

// elsewhere reports whether an entry is of a life that a redrive began.
func (e entry) elsewhere(said parking.Entry) bool { return strings.Contains(said.Ticket.Life, "/") }

// settled is what a mark means for a ticket: it was handled, unless its dead
// letter says otherwise.
func (e entry) settled(source *kgo.Record, t parking.Ticket) Outcome {
	for _, letter := range e.kit.Records(e.service.DeadLetterTopic(e.Consume)) {
		life, _ := record.Get(letter.Headers, record.Life)
		offset, _ := record.Get(letter.Headers, record.ErrorOffset)
		reason, _ := record.Get(letter.Headers, record.Reason)
		if life == t.Life && offset == strconv.FormatInt(t.Offset, 10) && reason != record.Parked && sameEvent(letter, source) {
			return DeadLettered
		}
	}
	return Handled
}

// deadLettered reports whether a record has a dead letter.
func (e entry) deadLettered(r *kgo.Record) bool {
	for _, letter := range e.kit.Records(e.service.DeadLetterTopic(e.Consume)) {
		partition, _ := record.Get(letter.Headers, record.ErrorPartition)
		offset, _ := record.Get(letter.Headers, record.ErrorOffset)
		reason, _ := record.Get(letter.Headers, record.Reason)
		if partition == strconv.Itoa(int(r.Partition)) && offset == strconv.FormatInt(r.Offset, 10) && reason != record.Parked {
			return true
		}
	}
	return false
}

// saidSkip reports whether a handler said that a record is of no concern, which
// nothing but the log tells.
func (e entry) saidSkip(at spot) bool {
	place := fmt.Sprintf(" topic=%s partition=%d offset=%d ", at.topic, at.partition, at.offset)
	group := " group=" + e.service.GroupID(e.Consume) + " "
	for line := range strings.Lines(e.kit.Log()) {
		if strings.Contains(line, `"record skipped by its handler"`) && strings.Contains(line, place) && strings.Contains(line, group) {
			return true
		}
	}
	return false
}

func sameEvent(a, b *kgo.Record) bool {
	one, _ := record.Get(a.Headers, record.EventID)
	other, _ := record.Get(b.Headers, record.EventID)
	return one == other
}
