//go:build kafka && cgo

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/internal/dev"
)

const (
	exactTopic   = "writer.exact.v1"
	writtenKeys  = 20
	writtenTimes = 10 // records of each key
	exactTimes   = 3
	aborted      = 30 // records of a transaction that is aborted, in front of the others
)

var happened = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)

// written is what a service wrote, once for all tests.
var written struct {
	sync.Mutex
	rows []row
}

// orderKey has text beyond ASCII.
func orderKey(i int) string { return fmt.Sprintf("注文-%d", i) }

// onWritten returns what the service writer has written to the cluster: to a
// topic for each compression, with keys of integers, with tombstones, and in
// transactions behind one that was aborted.
func onWritten(t *testing.T) (*dev.Cluster, []row) {
	t.Helper()
	c := onKafka(t)
	written.Lock()
	defer written.Unlock()
	if written.rows == nil {
		writeAborted(t, c)
		written.rows = write(t, c)
	}
	return c, written.rows
}

// A sink collects what a service sends, by the receipts.
type sink struct {
	t    *testing.T
	sent sync.WaitGroup
	mu   sync.Mutex
	rows []row
}

// took returns the callback of one send.
func (s *sink) took(key []byte, value string, headers []header) func(slipway.Receipt, error) {
	s.sent.Add(1)
	return func(r slipway.Receipt, err error) {
		defer s.sent.Done()
		if err != nil {
			s.t.Error(err)
		}
		s.add(row{place(r.Topic, r.Partition, r.Offset), text(key), value, headerText(headers)})
	}
}

func (s *sink) add(r row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, r)
}

// eventHeaders are what every record of topic has.
func eventHeaders(topic, id string, more ...header) []header {
	return append([]header{
		{"ce_specversion", []byte("1.0")},
		{"ce_id", []byte(id)},
		{"ce_source", []byte("/svc-writer-dev")},
		{"ce_type", []byte(topic)},
		{"ce_time", []byte("2026-02-03T04:05:06.000000007Z")},
	}, more...)
}

var (
	contentType = header{"content-type", []byte("application/avro")}
	origin      = header{"origin", []byte("ünïcode \x00\xff")}
)

func write(t *testing.T, c *dev.Cluster) []row {
	t.Helper()
	producers := make(map[string]*slipway.Producer[order])
	s := &sink{t: t}
	handled := make(chan int64, writtenKeys*exactTimes)
	stop := start(t, c, "writer", func(app *slipway.App) {
		for _, name := range append([]string{"numbers", "deleted", "exact"}, codecs...) {
			topic := "writer." + name + ".v1"
			producers[name] = slipway.NewProducer[order](app, topic)
		}
		slipway.Handle(app, "writer.start.v1", func(ctx context.Context, m *slipway.Message[order]) error {
			id := fmt.Sprintf("exact-%s-%d", m.Value.OrderID, m.Value.Amount)
			_, err := producers["exact"].Send(ctx, &m.Value, slipway.WithID(id), slipway.WithTime(happened))
			if err != nil {
				return err
			}
			if m.Attempt == 1 && m.Value.Amount == 0 {
				return errors.New("once more") // what the attempt sent goes nowhere
			}
			s.add(row{exactTopic, text([]byte(m.Value.OrderID)), valueText(m.Value), headerText(eventHeaders(exactTopic, id, contentType))})
			handled <- m.Value.Amount
			return nil
		})
	})
	defer stop()
	for n := range int64(writtenTimes) {
		for k := range writtenKeys {
			for _, name := range append([]string{"numbers", "deleted"}, codecs...) {
				send(t, s, producers[name], name, order{orderKey(k), n<<40 - int64(k)})
			}
		}
	}
	for k := range writtenKeys / 2 {
		id := fmt.Sprint("deleted-", k)
		key := []byte(orderKey(k))
		r, err := producers["deleted"].Delete(t.Context(), orderKey(k), slipway.WithID(id), slipway.WithTime(happened))
		s.took(key, nothing, eventHeaders("writer.deleted.v1", id))(r, err)
	}
	s.sent.Wait()
	begin(t, c)
	for i := range cap(handled) {
		select {
		case <-handled:
		case <-time.After(time.Minute):
			t.Fatalf("%d of %d were handled", i, cap(handled))
		}
	}
	return s.rows
}

func send(t *testing.T, s *sink, p *slipway.Producer[order], name string, o order) {
	t.Helper()
	topic, id := p.Topic(), fmt.Sprintf("%s-%s-%d", name, o.OrderID, o.Amount)
	key := []byte(o.OrderID)
	if name == "numbers" {
		key = bigEndian(o.Amount)
	}
	p.SendAsync(t.Context(), &o, s.took(key, valueText(o), eventHeaders(topic, id, contentType, origin)),
		slipway.WithID(id), slipway.WithTime(happened), slipway.WithHeader(origin.name, string(origin.value)))
}

// begin writes what the service answers in transactions.
func begin(t *testing.T, c *dev.Cluster) {
	t.Helper()
	source, err := kgo.NewClient(c.Admin().Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	s := newConfluent(t, c)
	var all []*kgo.Record
	for n := range int64(exactTimes) {
		for k := range writtenKeys {
			o := order{orderKey(k), n}
			all = append(all, &kgo.Record{Topic: "writer.start.v1", Key: []byte(o.OrderID), Value: s.encode(t, "writer.start.v1", o)})
		}
	}
	if err := source.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// writeAborted leaves records of an aborted transaction on the topic that is written in
// transactions.
func writeAborted(t *testing.T, c *dev.Cluster) {
	t.Helper()
	source, err := kgo.NewClient(append(c.Admin().Options(), kgo.TransactionalID("interop-abort"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var all []*kgo.Record
	for i := range aborted {
		all = append(all, &kgo.Record{Topic: exactTopic, Key: fmt.Append(nil, "aborted-", i)})
	}
	if err := source.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := source.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := source.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

func writtenTopics() []string {
	topics := []string{exactTopic, "writer.numbers.v1", "writer.deleted.v1"}
	for _, codec := range codecs {
		topics = append(topics, "writer."+codec+".v1")
	}
	return topics
}

// What was aborted lies in front of what was committed, so a client that gives
// it out does so before it is done.
func TestOtherClientsReadWhatSlipwayWrites(t *testing.T) {
	c, want := onWritten(t)
	for _, client := range clients {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			s, topics, want := newConfluent(t, c), writtenTopics(), want
			if client.uncommitted {
				topics, want = topics[1:], slices.DeleteFunc(slices.Clone(want), func(r row) bool { return r.Place == exactTopic })
			}
			got := s.rows(t, client.read(t, c, topics, len(want)))
			if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
				t.Errorf("%s reads (-written +read):\n%.4000s", client.name, diff)
			}
			if t.Failed() {
				return
			}
			t.Logf("%s read %d records of %d topics: place, key, value and headers are equal", client.name, len(got), len(topics))
		})
	}
}

// kafka-go cannot read what is written in transactions: asked for committed
// records alone, it gives out the aborted ones, and the markers that end
// transactions as if they were records.
func TestKafkaGoTellsNoTransactions(t *testing.T) {
	c, _ := onWritten(t)
	const markers = partitions // at least one for what was aborted, and one for what was not
	lost, ends := 0, 0
	for _, r := range kafkagoReads(t, c, []string{exactTopic}, aborted+writtenKeys*exactTimes+2*markers) {
		switch {
		case strings.HasPrefix(string(r.key), "aborted-"):
			lost++
		case bytes.HasPrefix(r.key, []byte{0, 0, 0}) && len(r.key) == 4:
			ends++
		}
	}
	if lost == 0 || ends == 0 {
		t.Errorf("kafka-go gave out %d aborted records and %d markers: it learned it, say so in docs/interoperability.md", lost, ends)
	}
	t.Logf("kafka-go, told to read committed records, gave out %d of %d aborted ones, and %d markers", lost, aborted, ends)
}

// The batches on the cluster are compressed as the contract says, but for small
// ones that would not get smaller.
func TestTheContractsCompressionIsOnTheWire(t *testing.T) {
	c, _ := onWritten(t)
	for i, codec := range codecs { // in the order of Kafka's numbers
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			reader, err := kgo.NewClient(append(c.Admin().Options(), kgo.ConsumeTopics("writer."+codec+".v1"))...)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			compressed := 0
			for n := 0; n < writtenKeys*writtenTimes; {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				fetches := reader.PollFetches(ctx)
				cancel()
				if err := fetches.Err0(); err != nil {
					t.Fatal(err)
				}
				for _, rec := range fetches.Records() {
					n++
					switch got := int(rec.Attrs.CompressionType()); got {
					case i:
						compressed++
					case 0:
					default:
						t.Errorf("partition %d offset %d is compressed by %s", rec.Partition, rec.Offset, codecs[got])
					}
				}
			}
			if compressed < writtenKeys*writtenTimes/2 {
				t.Errorf("%d of %d records are compressed", compressed, writtenKeys*writtenTimes)
			}
		})
	}
}
