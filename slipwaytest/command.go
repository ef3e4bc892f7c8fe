package slipwaytest

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/record"
)

// Release tells a service, as an operator would, that the record behind which a
// key is parked is to be tried again from its first attempt. It goes by the
// newest evidence of the key in the dead-letter topic, and returns when the
// command is written.
func (k *Kit) Release(service, entry, key string) {
	k.t.Helper()
	k.unpark(service, entry, key, parking.Release)
}

// Skip tells a service, as an operator would, that a parked key is to go on
// without the record behind which it is parked.
func (k *Kit) Skip(service, entry, key string) {
	k.t.Helper()
	at := k.unpark(service, entry, key, parking.Skip)
	k = k.entry(service, entry).kit
	if k.skipped == nil {
		k.skipped = make(map[spot]bool)
	}
	k.skipped[at] = true
}

// ParkKey tells a service that a key is to wait from now on, whatever becomes
// of its records, until [Kit.LetGo].
func (k *Kit) ParkKey(service, entry, key string) {
	k.t.Helper()
	e := k.entry(service, entry)
	e.command(e.partitionOf(key), parking.Entry{Op: parking.Park, Key: e.ordered([]byte(key))})
}

// LetGo tells a service that a key parked by hand can go on.
func (k *Kit) LetGo(service, entry, key string) {
	k.t.Helper()
	e := k.entry(service, entry)
	e.command(e.partitionOf(key), parking.Entry{Op: parking.Release, Key: e.ordered([]byte(key))})
}

// Redrive sends all dead letters of an entry back to its service, as the
// command slipway dlq redrive does, and returns how many those were. Letters
// that were sent before are not sent again.
func (k *Kit) Redrive(service, entry string) int {
	k.t.Helper()
	e := k.entry(service, entry)
	client, err := dlq.Open(dlq.Config{Options: e.kit.login()})
	if err != nil {
		k.t.Fatal(err)
	}
	defer client.Close()
	plan, err := client.Prepare(k.t.Context(), dlq.Redrive{Source: dlq.Source{
		Service: service, Entry: entry, Topic: e.service.DeadLetterTopic(e.Consume), Retry: e.retry, Origin: e.Topic,
		Group: e.service.GroupID(e.Consume), Progress: e.service.RedriveUser(), Order: e.Order,
	}})
	if err != nil {
		k.t.Fatalf("redrive %s of %s:\n%v", entry, service, err)
	}
	report, err := client.Run(k.t.Context(), plan, nil)
	if err != nil {
		k.t.Fatalf("redrive %s of %s:\n%v", entry, service, err)
	}
	return report.Counts.Sendable()
}

// unpark writes a command for the record behind which a key is parked, and
// returns the record's place.
func (k *Kit) unpark(service, name, key string, do parking.Op) spot {
	k.t.Helper()
	e := k.entry(service, name)
	letter := e.evidence(key)
	if letter == nil {
		k.t.Fatalf("key %q of %s is not parked: there is no evidence in %s", key, name, e.service.DeadLetterTopic(e.Consume))
	}
	partition, offset := e.number(letter, record.ErrorPartition), e.number(letter, record.ErrorOffset)
	life, _ := record.Get(letter.Headers, record.Life)
	e.command(int32(partition), parking.Entry{Op: do, Key: e.ordered(letter.Key), Ticket: parking.Ticket{
		Life: life, Epoch: int32(e.number(letter, record.Epoch)), Offset: offset,
	}})
	return spot{e.Topic, int32(partition), offset}
}

// evidence is the newest dead letter that says that a key is parked.
func (e entry) evidence(key string) *kgo.Record {
	e.kit.t.Helper()
	for _, letter := range slices.Backward(e.kit.Records(e.service.DeadLetterTopic(e.Consume))) {
		if reason, _ := record.Get(letter.Headers, record.Reason); reason == record.Parked && string(letter.Key) == key {
			return letter
		}
	}
	return nil
}

func (e entry) number(letter *kgo.Record, header string) int64 {
	e.kit.t.Helper()
	text, _ := record.Get(letter.Headers, header)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		e.kit.t.Fatalf("header %s of a dead letter: %v", header, err)
	}
	return n
}

// command writes a command to the retry topic.
func (e entry) command(partition int32, said parking.Entry) {
	e.kit.t.Helper()
	if e.retry == "" {
		e.kit.t.Fatalf("entry %s of %s has no retry topic: its contract has no retry", e.Name, e.name)
	}
	said.Kind = parking.Command
	r := parking.Encode(said, nil)
	r.Topic, r.Partition = e.retry, partition
	if err := e.kit.producer().ProduceSync(e.kit.t.Context(), r).FirstErr(); err != nil {
		e.kit.t.Fatalf("write to %s: %v", e.retry, err)
	}
}

// ordered is what the entry keeps in order of a record with a key.
func (e entry) ordered(key []byte) []byte {
	switch e.Order {
	case contract.ByPartition:
		return []byte{}
	case contract.Unordered:
		return nil
	default:
		return key
	}
}

// partitionOf is where the records of a key are: where one was sent to, or
// where the first one will be.
func (e entry) partitionOf(key string) int32 {
	e.kit.t.Helper()
	for _, r := range slices.Backward(e.kit.Records(e.Topic)) {
		if string(r.Key) == key {
			return r.Partition
		}
	}
	n := len(e.kit.Kafka().PartitionInfos(e.Topic))
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic(e.Topic).Partition(&kgo.Record{Key: []byte(key)}, n))
}
