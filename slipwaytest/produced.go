package slipwaytest

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/record"
	"github.com/slipway-go/slipway/schema"
)

// settling is how long the kit looks whether more records come than wanted.
const settling = 5 * time.Second

// RequireProduced waits, in virtual time, until a topic holds n records, and
// fails the test if it holds fewer or more.
func (k *Kit) RequireProduced(topic string, n int) {
	k.t.Helper()
	deadline := time.Now().Add(patience)
	for k.count(topic) < n && time.Now().Before(deadline) {
		k.Advance(50 * time.Millisecond)
	}
	k.Advance(settling)
	if got := k.count(topic); got != n {
		k.t.Fatalf("topic %s holds %d records, want %d%s", topic, got, n, k.show(topic))
	}
}

// RequireDeadLettered is [Kit.RequireProduced] for the dead letters that a
// service wrote of a consumed topic.
func (k *Kit) RequireDeadLettered(service, entry string, n int) {
	k.t.Helper()
	k.entry(service, entry).kit.RequireProduced(k.DeadLetterTopic(service, entry), n)
}

// DeadLetterTopic is where a service puts the dead letters of an entry of its
// consumes block.
func (k *Kit) DeadLetterTopic(service, entry string) string {
	k.t.Helper()
	svc := k.service(service).contract
	if svc.Consumes[entry] == nil {
		k.t.Fatalf("service %s does not consume %s", service, entry)
	}
	return svc.DeadLetterTopic(svc.Consumes[entry])
}

// count is how many records a topic holds, without what transactions have not
// committed.
func (k *Kit) count(topic string) int {
	k.t.Helper()
	return len(k.Records(topic))
}

// A reading is what was read of a topic, with the ends that it was read to.
type reading struct {
	ends    map[int32]int64
	records []*kgo.Record
}

// Records returns everything a topic holds, partition by partition in order of
// offset. What transactions have not committed is left out.
func (k *Kit) Records(topic string) []*kgo.Record {
	k.t.Helper()
	from, ends := make(map[int32]kgo.Offset), make(map[int32]int64)
	for _, p := range k.Kafka().PartitionInfos(topic) {
		ends[p.Partition] = p.LastStableOffset
		if p.LogStartOffset < p.LastStableOffset {
			from[p.Partition] = kgo.NewOffset().At(p.LogStartOffset)
		}
	}
	if len(ends) == 0 {
		k.t.Fatalf("read %s: there is no such topic", topic)
	}
	if last := k.read[topic]; last != nil && maps.Equal(last.ends, ends) {
		return k.standing(topic, last.records)
	}
	records := k.readTo(topic, from, ends)
	k.read[topic] = &reading{ends, records}
	return slices.Clone(records)
}

// standing leaves out what was deleted since it was read.
func (k *Kit) standing(topic string, records []*kgo.Record) []*kgo.Record {
	starts := make(map[int32]int64)
	for _, p := range k.Kafka().PartitionInfos(topic) {
		starts[p.Partition] = p.LogStartOffset
	}
	return slices.DeleteFunc(slices.Clone(records), func(r *kgo.Record) bool { return r.Offset < starts[r.Partition] })
}

// readTo reads partitions of a topic up to their ends.
func (k *Kit) readTo(topic string, from map[int32]kgo.Offset, ends map[int32]int64) []*kgo.Record {
	k.t.Helper()
	if len(from) == 0 {
		return nil
	}
	// Markers of transactions are kept while reading, to know where the end is.
	client := k.newClient(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer client.Close()
	var records []*kgo.Record
	for len(from) > 0 {
		fetches := client.PollFetches(k.t.Context())
		if err := fetches.Err(); err != nil {
			k.t.Fatalf("read %s: %v", topic, err)
		}
		for _, r := range fetches.Records() {
			if r.Offset+1 >= ends[r.Partition] {
				delete(from, r.Partition)
			}
			if r.Offset < ends[r.Partition] && !r.Attrs.IsControl() {
				records = append(records, r)
			}
		}
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return records
}

// Values returns everything a topic holds, decoded, partition by partition in
// order of offset. Tombstones are left out.
func Values[T any](k *Kit, topic string) []T {
	k.t.Helper()
	t := k.topics[topic]
	if t == nil {
		k.t.Fatalf("read %s: no service under test owns or consumes it", topic)
	}
	binding := k.bind(topic, t, reflect.TypeFor[T]())
	decode, err := binding.Reader(t.source)
	if err != nil {
		k.t.Fatalf("read %s: %v", topic, err)
	}
	var values []T
	for _, r := range k.Records(topic) {
		if r.Value == nil {
			continue
		}
		payload, err := unframe(r)
		if err != nil {
			k.t.Fatalf("read %s at offset %d: %v", topic, r.Offset, err)
		}
		var v T
		if err := decode(payload, &v); err != nil {
			k.t.Fatalf("read %s at offset %d: %v", topic, r.Offset, err)
		}
		values = append(values, v)
	}
	return values
}

// unframe takes off what names a value's schema.
func unframe(r *kgo.Record) ([]byte, error) {
	if header, ok := record.Get(r.Headers, schema.ValueIDHeader); ok {
		_, rest, err := schema.SplitMark([]byte(header))
		return append(rest, r.Value...), err
	}
	_, payload, err := schema.SplitMark(r.Value)
	return payload, err
}

// show lists a topic's records for a failure's message.
func (k *Kit) show(topic string) string {
	var b strings.Builder
	for _, r := range k.Records(topic) {
		fmt.Fprintf(&b, "\n  %d/%d key %q", r.Partition, r.Offset, r.Key)
		headers := make(map[string]string)
		for _, h := range r.Headers {
			headers[h.Key] = string(h.Value)
		}
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			fmt.Fprintf(&b, " %s=%q", name, headers[name])
		}
	}
	return b.String()
}
