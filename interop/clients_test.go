//go:build kafka && cgo

package interop_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	ckafka "github.com/confluentinc/confluent-kafka-go/v2/kafka"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/pki"
)

// A raw is a record as another client hands it out or takes it. Nil is not
// empty.
type raw struct {
	topic     string
	partition int32
	offset    int64
	key       []byte
	value     []byte
	order     *order // what value decodes to, where that is known
	headers   []header
}

type header struct {
	name  string
	value []byte
}

// A client is another Kafka client for Go.
type client struct {
	name string

	// read returns the first n committed records of topics with three
	// partitions each, and what is received with them.
	read func(t *testing.T, c *dev.Cluster, topics []string, n int) []raw

	// write writes batches one after the other.
	write func(t *testing.T, c *dev.Cluster, batches []batch)

	// transactional says that it can write transactions.
	transactional bool

	// uncommitted says that it gives out records of aborted transactions, and
	// the markers that end transactions, whatever it is told.
	uncommitted bool
}

// A batch is what one producer writes.
type batch struct {
	codec   string
	end     ending
	records []raw
}

// An ending is what becomes of a batch's transaction, if it is one.
type ending string

const (
	plain  ending = "plain"
	commit ending = "commit"
	abort  ending = "abort"
)

var clients = []client{
	{name: "sarama", read: saramaReads, write: saramaWrites, transactional: true},
	{name: "kafkago", read: kafkagoReads, write: kafkagoWrites, uncommitted: true},
	{name: "librdkafka", read: librdkafkaReads, write: librdkafkaWrites, transactional: true},
	{name: "java", read: javaReads, write: javaWrites, transactional: true},
}

const partitions = 3 // of every topic here

// gather returns the first n of what comes.
func gather(t *testing.T, n int, from <-chan raw, errs <-chan error) []raw {
	t.Helper()
	over := time.After(time.Minute)
	var all []raw
	for len(all) < n {
		select {
		case r := <-from:
			all = append(all, r)
		case err := <-errs:
			t.Fatal(err)
		case <-over:
			t.Errorf("%d of %d records came within a minute", len(all), n)
			return all
		}
	}
	return all
}

func saramaConfig(t *testing.T, c *dev.Cluster) *sarama.Config {
	t.Helper()
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Net.TLS.Enable, config.Net.TLS.Config = true, mutual(t, c)
	return config
}

func saramaReads(t *testing.T, c *dev.Cluster, topics []string, n int) []raw {
	t.Helper()
	config := saramaConfig(t, c)
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	consumer, err := sarama.NewConsumer(strings.Split(c.MTLS(), ","), config)
	if err != nil {
		t.Fatal(err)
	}
	records := make(chan raw)
	var running sync.WaitGroup
	var readers []sarama.PartitionConsumer
	done := make(chan struct{})
	for _, topic := range topics {
		for p := range int32(partitions) {
			reader, err := consumer.ConsumePartition(topic, p, sarama.OffsetOldest)
			if err != nil {
				t.Fatal(err)
			}
			readers = append(readers, reader)
			running.Go(func() {
				for m := range reader.Messages() {
					r := raw{topic: m.Topic, partition: m.Partition, offset: m.Offset, key: m.Key, value: m.Value}
					for _, h := range m.Headers {
						r.headers = append(r.headers, header{string(h.Key), h.Value})
					}
					select {
					case records <- r:
					case <-done:
					}
				}
			})
		}
	}
	all := gather(t, n, records, nil)
	close(done)
	for _, r := range readers {
		r.AsyncClose()
	}
	running.Wait()
	if err := consumer.Close(); err != nil {
		t.Error(err)
	}
	return all
}

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func saramaProducer(t *testing.T, c *dev.Cluster, config *sarama.Config) sarama.SyncProducer {
	t.Helper()
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent, config.Net.MaxOpenRequests = true, 1
	config.Producer.Flush.Frequency = 20 * time.Millisecond // so that there are batches to compress
	producer, err := sarama.NewSyncProducer(strings.Split(c.MTLS(), ","), config)
	if err != nil {
		t.Fatal(err)
	}
	return producer
}

func saramaMessages(records []raw) []*sarama.ProducerMessage {
	var all []*sarama.ProducerMessage
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: r.topic, Key: sarama.ByteEncoder(r.key)}
		if r.value != nil {
			m.Value = sarama.ByteEncoder(r.value)
		}
		for _, h := range r.headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.name), Value: h.value})
		}
		all = append(all, m)
	}
	return all
}

func saramaWrites(t *testing.T, c *dev.Cluster, batches []batch) {
	t.Helper()
	for _, b := range batches {
		config := saramaConfig(t, c)
		config.Producer.Compression = saramaCodecs[b.codec]
		if b.end != plain {
			config.Producer.Transaction.ID = "interop-sarama"
		}
		producer := saramaProducer(t, c, config)
		begin, end := producer.BeginTxn, producer.CommitTxn
		switch b.end {
		case abort:
			end = producer.AbortTxn
		case plain:
			begin, end = func() error { return nil }, func() error { return nil }
		}
		if err := errors.Join(begin(), producer.SendMessages(saramaMessages(b.records)), end(), producer.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func kafkagoReads(t *testing.T, c *dev.Cluster, topics []string, n int) []raw {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	records, errs := make(chan raw), make(chan error, partitions*len(topics))
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	dialer := &kafkago.Dialer{Timeout: 10 * time.Second, TLS: mutual(t, c)}
	for _, topic := range topics {
		for p := range partitions {
			reader := kafkago.NewReader(kafkago.ReaderConfig{
				Brokers: strings.Split(c.MTLS(), ","), Dialer: dialer, Topic: topic, Partition: p,
				IsolationLevel: kafkago.ReadCommitted, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 200 * time.Millisecond,
			})
			running.Go(func() {
				defer func() { _ = reader.Close() }()
				for {
					m, err := reader.ReadMessage(ctx)
					if err != nil {
						if ctx.Err() == nil {
							errs <- err
						}
						return
					}
					r := raw{topic: m.Topic, partition: int32(m.Partition), offset: m.Offset, key: m.Key, value: m.Value}
					for _, h := range m.Headers {
						r.headers = append(r.headers, header{h.Key, h.Value})
					}
					select {
					case records <- r:
					case <-ctx.Done():
					}
				}
			})
		}
	}
	return gather(t, n, records, errs)
}

var kafkagoCodecs = map[string]kafkago.Compression{
	"gzip": kafkago.Gzip, "snappy": kafkago.Snappy, "lz4": kafkago.Lz4, "zstd": kafkago.Zstd,
}

func kafkagoWrites(t *testing.T, c *dev.Cluster, batches []batch) {
	t.Helper()
	transport := &kafkago.Transport{TLS: mutual(t, c)}
	defer transport.CloseIdleConnections()
	for _, b := range batches {
		writer := &kafkago.Writer{
			Addr: kafkago.TCP(strings.Split(c.MTLS(), ",")...), Transport: transport, Balancer: kafkago.Murmur2Balancer{},
			RequiredAcks: kafkago.RequireAll, BatchTimeout: 20 * time.Millisecond, Compression: kafkagoCodecs[b.codec],
		}
		if err := errors.Join(writer.WriteMessages(t.Context(), kafkagoMessages(b.records)...), writer.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func kafkagoMessages(records []raw) []kafkago.Message {
	var all []kafkago.Message
	for _, r := range records {
		m := kafkago.Message{Topic: r.topic, Key: r.key, Value: r.value}
		for _, h := range r.headers {
			m.Headers = append(m.Headers, kafkago.Header{Key: h.name, Value: h.value})
		}
		all = append(all, m)
	}
	return all
}

func librdkafkaConfig(c *dev.Cluster, more ckafka.ConfigMap) *ckafka.ConfigMap {
	dir := c.Admin().Dir + "/"
	config := ckafka.ConfigMap{
		"bootstrap.servers": c.MTLS(), "security.protocol": "ssl", "ssl.ca.location": dir + pki.AuthorityFile,
		"ssl.certificate.location": dir + pki.CertificateFile, "ssl.key.location": dir + pki.KeyFile,
	}
	maps.Copy(config, more)
	return &config
}

func librdkafkaReads(t *testing.T, c *dev.Cluster, topics []string, n int) []raw {
	t.Helper()
	consumer, err := ckafka.NewConsumer(librdkafkaConfig(c, ckafka.ConfigMap{
		"group.id": "not-joined", "enable.auto.commit": false, "auto.offset.reset": "earliest", "isolation.level": "read_committed",
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = consumer.Close() }()
	var all []ckafka.TopicPartition
	for _, topic := range topics {
		for p := range int32(partitions) {
			all = append(all, ckafka.TopicPartition{Topic: &topic, Partition: p, Offset: ckafka.OffsetBeginning})
		}
	}
	if err := consumer.Assign(all); err != nil {
		t.Fatal(err)
	}
	var got []raw
	for began := time.Now(); len(got) < n; {
		if time.Since(began) > time.Minute {
			t.Errorf("%d of %d records came within a minute", len(got), n)
			break
		}
		m, ok := consumer.Poll(100).(*ckafka.Message)
		if !ok {
			continue
		}
		r := raw{topic: *m.TopicPartition.Topic, partition: m.TopicPartition.Partition, offset: int64(m.TopicPartition.Offset), key: m.Key, value: m.Value}
		for _, h := range m.Headers {
			r.headers = append(r.headers, header{h.Key, h.Value})
		}
		got = append(got, r)
	}
	return got
}

func librdkafkaProduces(t *testing.T, producer *ckafka.Producer, records []raw) {
	t.Helper()
	reports := make(chan ckafka.Event, len(records))
	for _, r := range records {
		m := &ckafka.Message{TopicPartition: ckafka.TopicPartition{Topic: &r.topic, Partition: ckafka.PartitionAny}, Key: r.key, Value: r.value}
		for _, h := range r.headers {
			m.Headers = append(m.Headers, ckafka.Header{Key: h.name, Value: h.value})
		}
		if err := producer.Produce(m, reports); err != nil {
			t.Fatal(err)
		}
	}
	for range records {
		if err := (<-reports).(*ckafka.Message).TopicPartition.Error; err != nil {
			t.Fatal(err)
		}
	}
}

func librdkafkaWrites(t *testing.T, c *dev.Cluster, batches []batch) {
	t.Helper()
	for _, b := range batches {
		config := ckafka.ConfigMap{"enable.idempotence": true, "compression.type": b.codec, "linger.ms": 20}
		if b.end != plain {
			config["transactional.id"] = "interop-librdkafka"
		}
		producer, err := ckafka.NewProducer(librdkafkaConfig(c, config))
		if err != nil {
			t.Fatal(err)
		}
		begin, end := func() error { return errors.Join(producer.InitTransactions(t.Context()), producer.BeginTransaction()) }, producer.CommitTransaction
		switch b.end {
		case abort:
			end = producer.AbortTransaction
		case plain:
			begin, end = func() error { return nil }, func(context.Context) error { return nil }
		}
		if err := begin(); err != nil {
			t.Fatal(err)
		}
		librdkafkaProduces(t, producer, b.records)
		if err := end(t.Context()); err != nil {
			t.Fatal(err)
		}
		producer.Close()
	}
}
