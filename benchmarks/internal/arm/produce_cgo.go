//go:build cgo

package arm

import (
	"context"
	"maps"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func init() { Producers["confluent"] = confluentProducer } //nolint:gochecknoinits // there is no such client without cgo

// confluentProducer is librdkafka with its defaults but for what is said here.
func confluentProducer(ctx context.Context, s Spec, acked func(error)) (*producer, error) {
	config := kafka.ConfigMap{
		"bootstrap.servers":            s.Endpoint.Bootstrap,
		"enable.idempotence":           true, // acks=all
		"linger.ms":                    int(produceLinger.Milliseconds()),
		"batch.num.messages":           10_000,
		"queue.buffering.max.messages": franzBuffer,
		"queue.buffering.max.kbytes":   256 << 10,
		"go.delivery.report.fields":    "none", // its copies of keys and values cost it a quarter
		"partitioner":                  "murmur2_random",
	}
	if s.Endpoint.Secured() {
		password, err := s.Endpoint.Password()
		if err != nil {
			return nil, err
		}
		maps.Copy(config, kafka.ConfigMap{
			"security.protocol": "SASL_SSL", "ssl.ca.location": s.Endpoint.CAFile,
			"sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": s.Endpoint.User, "sasl.password": password,
		})
	}
	client, err := kafka.NewProducer(&config)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range client.Events() {
			if m, ok := e.(*kafka.Message); ok {
				acked(m.TopicPartition.Error)
			}
		}
	}()
	return &producer{
		send: func(key, value []byte) {
			m := &kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &s.Topic, Partition: kafka.PartitionAny}, Key: key, Value: value}
			for {
				err := client.Produce(m, nil)
				if err == nil {
					return
				}
				if e, ok := err.(kafka.Error); !ok || e.Code() != kafka.ErrQueueFull { //nolint:errorlint // it is returned bare
					acked(err)
					return
				}
				client.Flush(1) // waits for room
			}
		},
		flush: func() error {
			for client.Flush(100) > 0 {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
			}
			return nil
		},
		close: func() { client.Close(); <-done },
	}, nil
}
