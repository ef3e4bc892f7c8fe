package dlq

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/parking"
)

// An Action is what is to become of the selected letters.
type Action string

// The actions.
const (
	// Return releases the keys of parked letters and has the records of all
	// others handled again.
	Return Action = "redrive"

	// Skip lets parked keys go on without the record they wait behind. It does
	// nothing to other letters.
	Skip Action = "skip"
)

// A command is one record for the retry topic: what its owner is told, and the
// record that an injection carries.
type command struct {
	parking.Entry
	partition int32
	record    *kgo.Record
}

// encode writes the command as the owner of its partition reads it.
func (c command) encode(topic string) *kgo.Record {
	r := parking.Encode(c.Entry, c.record)
	r.Topic, r.Partition = topic, c.partition
	return r
}

// answer is the command for a letter, or why there is none.
func (a Action) answer(l *Letter, s Source, redrive string, partitions int) (command, error) {
	if err := believe(l, s, partitions); err != nil {
		return command{}, err
	}
	switch {
	case l.Parked():
		return a.unpark(l, s)
	case a == Skip:
		return command{}, diag.New(diag.DLQNotParked, "%s: its reason is %q", l.Ref, l.Reason)
	}
	r := carried(l)
	return command{parking.Entry{
		Kind: parking.Command, Op: parking.Inject, Ticket: injected(redrive, l.Ref), Key: s.ordered(l.Key),
		Time: r.Timestamp, Redrives: min(l.Redrives+1, MaxCount),
	}, returnPartition(l, partitions), r}, nil
}

// unpark is the command for a letter that says that its key is parked.
func (a Action) unpark(l *Letter, s Source) (command, error) {
	do := parking.Release
	if a == Skip {
		do = parking.Skip
	}
	o := l.Origin
	if o.Life == "" || o.Offset == Unknown {
		return command{}, badHeader(l, "it does not name the ticket that is parked")
	}
	ticket := parking.Ticket{Life: o.Life, Epoch: o.Epoch, Offset: o.Offset}
	e := parking.Entry{Kind: parking.Command, Op: do, Ticket: ticket, Key: s.ordered(l.Key), Redrives: min(l.Redrives, MaxCount)}
	return command{e, o.Partition, nil}, nil
}

// ordered is what the entry keeps in order, given a record's key: the key, the
// whole partition, or nothing.
func (s Source) ordered(key []byte) []byte {
	switch s.Order {
	case contract.ByPartition:
		return []byte{}
	case contract.Unordered:
		return nil
	}
	return key
}

// believe checks a letter's evidence against what the contract says. The
// partition decides who gets the command: one that is wrong would have the key
// handled by two owners at once.
func believe(l *Letter, s Source, partitions int) error {
	o := l.Origin
	switch {
	case len(l.Faults) > 0:
		return badHeader(l, l.Faults[0])
	case o.Topic != "" && o.Topic != s.Origin:
		return badHeader(l, "it says that it is from topic "+strconv.Quote(o.Topic)+", and the entry consumes "+s.Origin)
	case o.Group != "" && s.Group != "" && o.Group != s.Group && l.Dialect == Slipway:
		return badHeader(l, "it says that group "+strconv.Quote(o.Group)+" gave it up, and the entry's group is "+s.Group)
	case int(o.Partition) >= partitions:
		return badHeader(l, "it is from partition "+strconv.Itoa(int(o.Partition))+", and the retry topic has "+strconv.Itoa(partitions))
	case o.Partition == Unknown && (l.Key != nil || l.Parked()):
		return badHeader(l, "it does not say which partition it is from")
	}
	return nil
}

func badHeader(l *Letter, why string) diag.Diagnostic {
	return diag.New(diag.DLQBadHeader, "%s: %s", l.Ref, why)
}

// returnPartition is the source partition; a record without a key has no order
// to keep, and may go to any.
func returnPartition(l *Letter, partitions int) int32 {
	if l.Origin.Partition == Unknown {
		return l.Partition % int32(partitions)
	}
	return l.Origin.Partition
}

// injected is the ticket of a letter in a redrive: its place in the dead-letter
// topic. Each dead-letter partition is a life of its own, because offsets of
// different partitions have no order.
func injected(redrive string, at Ref) parking.Ticket {
	return parking.Ticket{Life: redrive + "/" + strconv.Itoa(int(at.Partition)), Epoch: Unknown, Offset: at.Offset}
}

// carried is the original record: its bytes, its headers without the evidence,
// and its time as far as that is known.
func carried(l *Letter) *kgo.Record {
	r := &kgo.Record{Key: l.Key, Value: l.Record.Value, Timestamp: l.Origin.Time}
	for _, h := range l.Record.Headers {
		if !l.Dialect.wrote(h.Key) {
			r.Headers = append(r.Headers, h)
		}
	}
	if r.Timestamp.IsZero() {
		r.Timestamp = l.Time
	}
	return r
}
