//go:build kafka

package slipway_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/schema"
)

// console runs one of Kafka's console tools as an identity, the way that is
// printed for it, and returns what it writes to stdout.
func console(t *testing.T, login dev.Login, stdin, class string, args ...string) string {
	t.Helper()
	printed, _, found := strings.Cut(login.Commands()[1], " org.apache.kafka.tools.")
	if !found {
		t.Fatalf("the printed command %q is not of Kafka's tools", login.Commands()[1])
	}
	command := append([]string{
		printed, "org.apache.kafka.tools." + class,
		"--bootstrap-server", login.Bootstrap, "--command-config", "'" + login.Dir + "/" + dev.PropertiesFile + "'",
	}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, "sh", "-c", strings.Join(command, " "))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil || strings.Contains(errs.String(), "Exception") {
		t.Fatalf("%s: %v\n%s", class, err, errs.String())
	}
	return out.String()
}

// javaText is how Java's Bytes prints itself.
func javaText(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		if c >= ' ' && c <= '~' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02X`, c)
		}
	}
	return b.String()
}

// keys have every length up to 63 bytes but 5, whose Avro form is a line's
// end, and some have no ASCII.
func keys() []string {
	long := fmt.Sprintf("%x", sha256.Sum256([]byte("keys")))
	keys := []string{"ключ", "注文", "naïve-é"}
	for n := range 64 {
		if n != 5 {
			keys = append(keys, long[:n])
		}
	}
	return keys
}

// frame is an order in Avro after the header of the wire format, written down
// by hand.
func frame(id int, o order) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0}, uint32(id))
	b = binary.AppendVarint(b, int64(len(o.OrderID)))
	b = binary.AppendVarint(append(b, o.OrderID...), o.Amount)
	return b
}

// schemaID is what the registry calls the orders of a topic.
func (r *realKafka) schemaID(t *testing.T, topic string) int {
	t.Helper()
	id, err := r.registry.Lookup(t.Context(), contract.Subject(topic), schema.Text{Format: "avro", Schema: orderSchema})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestJavaReadsWhatSlipwayWrites(t *testing.T) {
	r := onKafka(t)
	const topic = "writer.events.v1"
	keys := keys()
	receipts := r.write(t, topic, keys)
	out := console(t, r.login(t, "java"), "", "consumer.ConsoleConsumer",
		"--topic", topic, "--group", "svc-java-dev", "--from-beginning",
		"--max-messages", fmt.Sprint(len(keys)), "--timeout-ms", "30000",
		"--formatter-property", "print.partition=true", "--formatter-property", "print.offset=true",
		"--formatter-property", "print.headers=true", "--formatter-property", "'headers.separator=;'",
		"--formatter-property", "print.key=true", "--formatter-property", "'key.separator=|'",
		"--formatter-property", "key.deserializer=org.apache.kafka.common.serialization.BytesDeserializer",
		"--formatter-property", "value.deserializer=org.apache.kafka.common.serialization.BytesDeserializer")
	id := r.schemaID(t, topic)
	var want []string
	for i, key := range keys {
		headers := strings.Join([]string{
			"ce_specversion:1.0", fmt.Sprint("ce_id:w-", i), "ce_source:/svc-writer-dev", "ce_type:" + topic,
			"ce_time:2026-02-03T04:05:06.000000007Z", "content-type:application/avro", "origin:web",
		}, ";")
		want = append(want, fmt.Sprintf("Partition:%d|Offset:%d|%s|%s|%s",
			receipts[key].Partition, receipts[key].Offset, headers, javaText([]byte(key)), javaText(frame(id, order{key, int64(i) << 33}))))
	}
	got := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Java reads (-want +got):\n%s", diff)
	}
	t.Logf("Java read %d records of Slipway: partition, offset, headers, key and value are equal", len(got))
}

// write sends an order for each key through the SDK.
func (r *realKafka) write(t *testing.T, topic string, keys []string) map[string]slipway.Receipt {
	t.Helper()
	var out *slipway.Producer[order]
	p := r.start(t, "writer", "0", func(app *slipway.App) error {
		out = slipway.NewProducer[order](app, topic)
		return nil
	})
	defer p.stop()
	happened := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	receipts := make(map[string]slipway.Receipt)
	for i, key := range keys {
		receipt, err := out.Send(t.Context(), &order{key, int64(i) << 33},
			slipway.WithID(fmt.Sprint("w-", i)), slipway.WithTime(happened), slipway.WithHeader("origin", "web"))
		if err != nil {
			t.Fatal(err)
		}
		receipts[key] = receipt
	}
	return receipts
}

// heard is what a handler of the SDK was given of a record.
type heard struct {
	Key, Value, ID, Origin string
	NoKey, Tombstone       bool
	Order                  order
}

// listener notes what handlers were given, by what tells records apart.
type listener struct {
	mu     sync.Mutex
	got    map[string]heard
	places map[string]int32 // of framed records, by key
}

func (l *listener) framed(_ context.Context, m *slipway.Message[order]) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[m.ID()] = heard{Key: string(m.Key), ID: m.ID(), Origin: m.Header("origin"), NoKey: m.Key == nil, Tombstone: m.Tombstone, Order: m.Value}
	l.places[string(m.Key)] = m.Partition
	return nil
}

func (l *listener) raw(_ context.Context, m *slipway.Message[[]byte]) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := heard{Key: string(m.Key), Value: string(m.Value), ID: m.ID(), Origin: m.Header("origin"), NoKey: m.Key == nil, Tombstone: m.Tombstone}
	l.got[fmt.Sprintf("%+v", h)] = h
	return nil
}

func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.got)
}

func TestSlipwayHandlesWhatJavaWritesAndPlacesKeysAsJavaDoes(t *testing.T) {
	r, keys := onKafka(t), keys()
	want := make(map[string]heard)
	for i, key := range keys {
		id := fmt.Sprint("j-", i)
		want[id] = heard{Key: key, ID: id, Origin: "java", Order: order{key, int64(i%5 + 6)}}
	}
	for _, h := range []heard{
		{Key: "k-1", Value: `{"n": 1}`, ID: "r-1", Origin: "java"},
		{NoKey: true, Value: "no key, no headers"},
		{Key: "k-1", Tombstone: true, Origin: "java"},
		{Origin: "java"}, // an empty key and an empty value are no nulls
	} {
		want[fmt.Sprintf("%+v", h)] = h
	}
	r.writeFromJava(t, keys)

	l := &listener{got: make(map[string]heard), places: make(map[string]int32)}
	p := r.start(t, "reader", "0", func(app *slipway.App) error {
		slipway.Handle(app, "java.framed.v1", l.framed)
		slipway.Handle(app, "java.raw.v1", l.raw)
		return nil
	})
	await(t, 30*time.Second, "all records of Java", func() bool { return l.count() >= len(want) })
	p.stop()
	if diff := cmp.Diff(want, l.got); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
	if denied := r.denials(t, "reader"); len(denied) > 0 {
		t.Errorf("the reader asked for what it has no right to: %v", denied)
	}

	spread, differ := make(map[int32]bool), 0
	for key, receipt := range r.write(t, "writer.placed.v1", keys) {
		spread[receipt.Partition] = true
		if l.places[key] != receipt.Partition {
			differ++
			t.Errorf("key %q: Java chose partition %d, Slipway %d", key, l.places[key], receipt.Partition)
		}
	}
	if len(spread) != 6 {
		t.Errorf("the keys lie on %d partitions, want all 6", len(spread))
	}
	t.Logf("Slipway handled %d records of Java; %d keys on %d partitions, %d placed differently", len(l.got), len(keys), len(spread), differ)
}

// writeFromJava writes a framed order for each key, and records without a
// schema: with and without key, value and headers.
func (r *realKafka) writeFromJava(t *testing.T, keys []string) {
	t.Helper()
	id := r.schemaID(t, "java.framed.v1")
	var framed strings.Builder
	for i, key := range keys {
		value := frame(id, order{key, int64(i%5 + 6)})
		if strings.ContainsAny(string(value), "\n\r") || slices.Max(value[:6]) >= 0x80 {
			t.Fatalf("the console producer cannot write the frame %x", value)
		}
		fmt.Fprintf(&framed, "ce_id:j-%d,origin:java\t%s\t%s\n", i, key, value)
	}
	const raw = "ce_id:r-1,origin:java\tk-1\t{\"n\": 1}\n" +
		"NULL\tNULL\tno key, no headers\n" +
		"origin:java\tk-1\tNULL\n" +
		"origin:java\t\t\n"
	for topic, lines := range map[string]string{"java.framed.v1": framed.String(), "java.raw.v1": raw} {
		console(t, r.login(t, "java"), lines, "ConsoleProducer", "--topic", topic,
			"--reader-property", "parse.key=true", "--reader-property", "parse.headers=true", "--reader-property", "null.marker=NULL")
	}
}
