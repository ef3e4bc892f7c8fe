//go:build kafka && cgo

package interop_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/internal/dev"
)

// A row is a record as text, with its value decoded: what clients are compared
// by.
type row struct {
	Place   string // topic, partition and offset; of a transaction the topic alone
	Key     string
	Value   string
	Headers string
}

const nothing = "null"

// place leaves out where records of transactions lie: their senders are not
// told.
func place(topic string, partition int32, offset int64) string {
	if topic == exactTopic {
		return topic
	}
	return fmt.Sprintf("%s/%d/%d", topic, partition, offset)
}

func text(b []byte) string {
	if b == nil {
		return nothing
	}
	return fmt.Sprintf("%q", b)
}

func valueText(o order) string { return fmt.Sprintf("order %q amount %d", o.OrderID, o.Amount) }

func headerText(headers []header) string {
	var b strings.Builder
	for _, h := range headers {
		fmt.Fprintf(&b, "%s=%s ", h.name, text(h.value))
	}
	return b.String()
}

func kgoHeaders(headers []kgo.RecordHeader) []header {
	var all []header
	for _, h := range headers {
		all = append(all, header{h.Key, h.Value})
	}
	return all
}

// A confluent is Confluent's own serializer and deserializer for Avro, which
// all other Go clients use here.
type confluent struct {
	serializer   *avrov2.Serializer
	deserializer *avrov2.Deserializer
}

func newConfluent(t *testing.T, c *dev.Cluster) confluent {
	t.Helper()
	registry, err := schemaregistry.NewClient(schemaregistry.NewConfig(c.Registry()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Close() })
	config := avrov2.NewSerializerConfig()
	config.AutoRegisterSchemas, config.UseLatestVersion = false, true // only apply registers
	serializer, err := avrov2.NewSerializer(registry, serde.ValueSerde, config)
	if err != nil {
		t.Fatal(err)
	}
	deserializer, err := avrov2.NewDeserializer(registry, serde.ValueSerde, avrov2.NewDeserializerConfig())
	if err != nil {
		t.Fatal(err)
	}
	return confluent{serializer, deserializer}
}

func (s confluent) encode(t *testing.T, topic string, o order) []byte {
	t.Helper()
	value, err := s.serializer.Serialize(topic, &o)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// rows decodes records, and holds each partition to come in order.
func (s confluent) rows(t *testing.T, records []raw) []row {
	t.Helper()
	last := make(map[string]int64)
	var all []row
	for _, r := range records {
		lane := fmt.Sprintf("%s/%d", r.topic, r.partition)
		if before, ok := last[lane]; ok && r.offset <= before {
			t.Errorf("%s: offset %d came after %d", lane, r.offset, before)
		}
		last[lane] = r.offset
		value := nothing
		switch {
		case r.order != nil:
			value = valueText(*r.order)
		case r.value != nil:
			var o order
			if err := s.deserializer.DeserializeInto(r.topic, r.value, &o); err != nil {
				t.Errorf("%s offset %d: %v", lane, r.offset, err)
			}
			value = valueText(o)
		}
		all = append(all, row{place(r.topic, r.partition, r.offset), text(r.key), value, headerText(r.headers)})
	}
	return all
}

// sorted orders rows for a comparison.
func sorted(rows []row) []row {
	return slices.SortedFunc(slices.Values(rows), func(a, b row) int {
		return strings.Compare(a.Place+a.Key+a.Value+a.Headers, b.Place+b.Key+b.Value+b.Headers)
	})
}

func bigEndian(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
