package arm

import (
	"context"
	"strings"
	"sync"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	watermillkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franzBuffer is how many records franz-go may hold: with its default of 10,000
// it waits for acknowledgements most of the time.
const franzBuffer = 100_000

func franzProducer(ctx context.Context, s Spec, acked func(error)) (*producer, error) {
	return franzProducing(ctx, s, acked, nil)
}

// franzHeadersProducer writes the headers that Slipway writes, ready made: what
// is left between the two is what Slipway costs.
func franzHeadersProducer(ctx context.Context, s Spec, acked func(error)) (*producer, error) {
	return franzProducing(ctx, s, acked, eventHeaders(s.Topic))
}

// eventHeaders are CloudEvents attributes, as Slipway writes them.
func eventHeaders(topic string) []kgo.RecordHeader {
	return []kgo.RecordHeader{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ")},
		{Key: "ce_source", Value: []byte("/svc-produce-dev")},
		{Key: "ce_type", Value: []byte(topic)},
		{Key: "ce_time", Value: []byte("2026-11-21T12:00:00.123456789Z")},
		{Key: "content-type", Value: []byte("application/octet-stream")},
	}
}

func franzProducing(ctx context.Context, s Spec, acked func(error), headers []kgo.RecordHeader) (*producer, error) {
	opts, err := s.Endpoint.Options()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts,
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(produceLinger), kgo.MaxBufferedRecords(franzBuffer))...)
	if err != nil {
		return nil, err
	}
	promise := func(_ *kgo.Record, err error) { acked(err) }
	return &producer{
		send: func(key, value []byte) {
			client.Produce(ctx, &kgo.Record{Topic: s.Topic, Key: key, Value: value, Headers: headers}, promise)
		},
		flush: func() error { return client.Flush(ctx) },
		close: client.Close,
	}, nil
}

// saramaProducer is sarama's asynchronous producer. Its default flushes at
// once; with idempotence it allows one request in flight, so it goes without.
func saramaProducer(_ context.Context, s Spec, acked func(error)) (*producer, error) {
	config, err := saramaConfig(Job{Endpoint: s.Endpoint})
	if err != nil {
		return nil, err
	}
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Flush.Frequency = produceLinger
	config.Producer.Flush.Bytes = 1_000_000 // a batch as large as franz-go's
	client, err := sarama.NewAsyncProducer(strings.Split(s.Endpoint.Bootstrap, ","), config)
	if err != nil {
		return nil, err
	}
	var open, readers sync.WaitGroup
	readers.Go(func() {
		for range client.Successes() {
			acked(nil)
			open.Done()
		}
	})
	readers.Go(func() {
		for e := range client.Errors() {
			acked(e.Err)
			open.Done()
		}
	})
	return &producer{
		send: func(key, value []byte) {
			m := &sarama.ProducerMessage{Topic: s.Topic, Value: sarama.ByteEncoder(value)}
			if key != nil {
				m.Key = sarama.ByteEncoder(key)
			}
			open.Add(1)
			client.Input() <- m
		},
		flush: func() error { open.Wait(); return nil },
		close: func() { client.AsyncClose(); readers.Wait() },
	}, nil
}

// kafkagoProducer is kafka-go's Writer, asynchronous. It has no idempotence. Its
// buffer is unbounded, so what is open is bounded as for franz-go.
func kafkagoProducer(ctx context.Context, s Spec, acked func(error)) (*producer, error) {
	transport := &kafka.Transport{}
	if s.Endpoint.Secured() {
		password, err := s.Endpoint.Password()
		if err != nil {
			return nil, err
		}
		if transport.SASL, err = scram.Mechanism(scram.SHA512, s.Endpoint.User, password); err != nil {
			return nil, err
		}
		if transport.TLS, err = s.Endpoint.TLS(); err != nil {
			return nil, err
		}
	}
	var open sync.WaitGroup
	room := make(chan struct{}, franzBuffer)
	w := &kafka.Writer{
		Addr: kafka.TCP(strings.Split(s.Endpoint.Bootstrap, ",")...), Topic: s.Topic, Transport: transport,
		RequiredAcks: kafka.RequireAll, Async: true,
		BatchSize: 10_000, BatchBytes: 1_000_000, BatchTimeout: produceLinger, // 100, 1 MiB and 1 s by default
		Balancer: &kafka.Murmur2Balancer{Consistent: false},
		Completion: func(all []kafka.Message, err error) {
			for range all {
				acked(err)
				<-room
				open.Done()
			}
		},
	}
	pending := make([]kafka.Message, 0, 100) // WriteMessages takes a lock for each call
	hand := func() error {
		err := w.WriteMessages(ctx, pending...)
		pending = pending[:0]
		return err
	}
	var failed error
	return &producer{
		send: func(key, value []byte) {
			room <- struct{}{}
			open.Add(1)
			if pending = append(pending, kafka.Message{Key: key, Value: value}); len(pending) == cap(pending) && failed == nil {
				failed = hand()
			}
		},
		flush: func() error {
			if len(pending) > 0 && failed == nil {
				failed = hand()
			}
			if failed != nil {
				return failed
			}
			open.Wait()
			return nil
		},
		close: func() { _ = w.Close() }, // everything has been acknowledged
	}, nil
}

// watermillCallers publish at the same time: Watermill's publisher waits for
// each message's acknowledgement.
const watermillCallers = 256

func watermillProducer(_ context.Context, s Spec, acked func(error)) (*producer, error) {
	config, err := saramaConfig(Job{Endpoint: s.Endpoint})
	if err != nil {
		return nil, err
	}
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	marshaler := watermillkafka.NewWithPartitioningMarshaler(func(_ string, m *message.Message) (string, error) {
		return m.Metadata.Get("key"), nil
	})
	publisher, err := watermillkafka.NewPublisher(watermillkafka.PublisherConfig{
		Brokers: strings.Split(s.Endpoint.Bootstrap, ","), Marshaler: marshaler, OverwriteSaramaConfig: config,
	}, watermill.NopLogger{})
	if err != nil {
		return nil, err
	}
	var open, callers sync.WaitGroup
	queue := make(chan *message.Message, 4*watermillCallers)
	for range watermillCallers {
		callers.Go(func() {
			for m := range queue {
				acked(publisher.Publish(s.Topic, m))
				open.Done()
			}
		})
	}
	return &producer{
		send: func(key, value []byte) {
			m := message.NewMessage(watermill.NewShortUUID(), value)
			if key != nil {
				m.Metadata.Set("key", string(key))
			}
			open.Add(1)
			queue <- m
		},
		flush: func() error { open.Wait(); return nil },
		close: func() { close(queue); callers.Wait(); _ = publisher.Close() },
	}, nil
}
