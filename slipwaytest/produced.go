package slipwaytest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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
	k.RequireProduced(k.DeadLetterTopic(service, entry), n)
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

func (k *Kit) count(topic string) int {
	k.t.Helper()
	var n int64
	k.eventually("the end of topic "+topic, func() bool {
		ends, err := k.admin.EndOffsets(k.t.Context(), topic)
		n = ends[topic]
		return err == nil
	})
	return int(n)
}

// Records returns everything a topic holds, partition by partition in order of
// offset.
func (k *Kit) Records(topic string) []*kgo.Record {
	k.t.Helper()
	want := k.count(topic)
	client := k.newClient(kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	var records []*kgo.Record
	for len(records) < want {
		fetches := client.PollFetches(k.t.Context())
		if err := fetches.Err(); err != nil {
			k.t.Fatalf("read %s: %v", topic, err)
		}
		records = append(records, fetches.Records()...)
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
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
	decode, err := binding.Reader(t.schema.Schema)
	if err != nil {
		k.t.Fatalf("read %s: %v", topic, err)
	}
	var values []T
	for _, r := range k.Records(topic) {
		if r.Value == nil {
			continue
		}
		_, payload, err := schema.SplitHeader(r.Value)
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
