//go:build kafka && cgo

package interop_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/jsonschema"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/protobuf"
	"github.com/google/go-cmp/cmp"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/dev"
)

const (
	jsonTopic     = "formats.json.v1"
	protobufTopic = "formats.protobuf.v1"
	formatRecords = 30
)

// A document is an order in JSON.
type document struct {
	OrderID string   `json:"order_id"`
	Amount  int64    `json:"amount"`
	Tags    []string `json:"tags"`
}

const documentSchema = `{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object", "properties": {
	"order_id": {"type": "string"},
	"amount": {"type": "integer"},
	"tags": {"type": "array", "items": {"type": "string"}}
}, "required": ["order_id", "amount", "tags"], "additionalProperties": false}`

// text is the same for both formats.
func (d document) text() string { return fmt.Sprintf("%q %d %q", d.OrderID, d.Amount, d.Tags) }

func (x *Placed) text() string { return document{x.OrderId, x.Amount, x.Tags}.text() }

func documentOf(from string, i int) document {
	return document{fmt.Sprintf("%s-é-%d", from, i), int64(i) << 33, []string{from, "注文"}}
}

func placedOf(from string, i int) *Placed {
	d := documentOf(from, i)
	return &Placed{OrderId: d.OrderID, Amount: d.Amount, Tags: d.Tags}
}

// Confluent's serializers for JSON Schema (it validates what it writes) and
// Protobuf (with a message that is not the first of its file) and Slipway read
// each other.
func TestProtobufAndJSONSchemaAreConfluents(t *testing.T) {
	c := onKafka(t)
	want := make(map[string][]string)
	for i := range formatRecords {
		for _, from := range []string{"slipway", "confluent"} {
			want[jsonTopic] = append(want[jsonTopic], documentOf(from, i).text())
			want[protobufTopic] = append(want[protobufTopic], placedOf(from, i).text())
		}
	}
	writeFormats(t, c)

	handled := make(map[string][]string)
	var mu sync.Mutex
	note := func(topic, text string) error {
		mu.Lock()
		defer mu.Unlock()
		handled[topic] = append(handled[topic], text)
		return nil
	}
	var documents *slipway.Producer[document]
	var messages *slipway.Producer[Placed]
	stop := start(t, c, "formats", func(app *slipway.App) {
		documents, messages = slipway.NewProducer[document](app, jsonTopic), slipway.NewProducer[Placed](app, protobufTopic)
		slipway.Handle(app, jsonTopic, func(_ context.Context, m *slipway.Message[document]) error {
			return note(jsonTopic, m.Value.text())
		})
		slipway.Handle(app, protobufTopic, func(_ context.Context, m *slipway.Message[Placed]) error {
			return note(protobufTopic, m.Value.text())
		})
	})
	for i := range formatRecords {
		d := documentOf("slipway", i)
		if _, err := documents.Send(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		if _, err := messages.Send(t.Context(), placedOf("slipway", i)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all to be handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(handled[jsonTopic])+len(handled[protobufTopic]) >= 4*formatRecords
	})
	stop()
	read := readFormats(t, c)
	for topic := range want {
		for _, all := range [][]string{want[topic], handled[topic], read[topic]} {
			slices.Sort(all)
		}
		if diff := cmp.Diff(want[topic], handled[topic]); diff != "" {
			t.Errorf("%s: Slipway handled (-want +got):\n%s", topic, diff)
		}
		if diff := cmp.Diff(want[topic], read[topic]); diff != "" {
			t.Errorf("%s: Confluent's deserializer read (-want +got):\n%s", topic, diff)
		}
		t.Logf("%s: Slipway handled %d, Confluent's deserializer read %d", topic, len(handled[topic]), len(read[topic]))
	}
}

// writeFormats writes with Confluent's serializers and librdkafka.
func writeFormats(t *testing.T, c *dev.Cluster) {
	t.Helper()
	registry, err := schemaregistry.NewClient(schemaregistry.NewConfig(c.Registry()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = registry.Close() }()
	js := jsonschema.NewSerializerConfig()
	js.AutoRegisterSchemas, js.UseLatestVersion, js.EnableValidation = false, true, true
	documents, err := jsonschema.NewSerializer(registry, serde.ValueSerde, js)
	if err != nil {
		t.Fatal(err)
	}
	pb := protobuf.NewSerializerConfig()
	pb.AutoRegisterSchemas, pb.UseLatestVersion = false, true
	messages, err := protobuf.NewSerializer(registry, serde.ValueSerde, pb)
	if err != nil {
		t.Fatal(err)
	}
	b := batch{codec: "none", end: plain}
	for i := range formatRecords {
		d, m := documentOf("confluent", i), placedOf("confluent", i)
		document, err := documents.Serialize(jsonTopic, &d)
		if err != nil {
			t.Fatal(err)
		}
		message, err := messages.Serialize(protobufTopic, m)
		if err != nil {
			t.Fatal(err)
		}
		b.records = append(b.records, raw{topic: jsonTopic, key: []byte(d.OrderID), value: document}, raw{topic: protobufTopic, key: []byte(d.OrderID), value: message})
	}
	librdkafkaWrites(t, c, []batch{b})
}

// readFormats reads with librdkafka and Confluent's deserializers.
func readFormats(t *testing.T, c *dev.Cluster) map[string][]string {
	t.Helper()
	registry, err := schemaregistry.NewClient(schemaregistry.NewConfig(c.Registry()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = registry.Close() }()
	documents, err := jsonschema.NewDeserializer(registry, serde.ValueSerde, jsonschema.NewDeserializerConfig())
	if err != nil {
		t.Fatal(err)
	}
	messages, err := protobuf.NewDeserializer(registry, serde.ValueSerde, protobuf.NewDeserializerConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := messages.ProtoRegistry.RegisterMessage((&Placed{}).ProtoReflect().Type()); err != nil {
		t.Fatal(err)
	}
	read := make(map[string][]string)
	for _, r := range librdkafkaReads(t, c, []string{jsonTopic, protobufTopic}, 4*formatRecords) {
		var d document
		if r.topic == jsonTopic {
			if err := documents.DeserializeInto(r.topic, r.value, &d); err != nil {
				t.Fatal(err)
			}
			read[r.topic] = append(read[r.topic], d.text())
			continue
		}
		m, err := messages.Deserialize(r.topic, r.value)
		if err != nil {
			t.Fatal(err)
		}
		placed, ok := m.(*Placed)
		if !ok {
			t.Fatalf("the message is a %T", m)
		}
		read[r.topic] = append(read[r.topic], placed.text())
	}
	return read
}
