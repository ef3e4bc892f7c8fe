package arm

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// kafkagoReader is kafka-go's default but for what is said here.
func kafkagoReader(j Job) (*kafka.Reader, error) {
	dialer := &kafka.Dialer{Timeout: 10 * time.Second, DualStack: true}
	if j.Endpoint.Secured() {
		password, err := j.Endpoint.Password()
		if err != nil {
			return nil, err
		}
		if dialer.SASLMechanism, err = scram.Mechanism(scram.SHA512, j.Endpoint.User, password); err != nil {
			return nil, err
		}
		if dialer.TLS, err = j.Endpoint.TLS(); err != nil {
			return nil, err
		}
	}
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: strings.Split(j.Endpoint.Bootstrap, ","), GroupID: j.Group, Topic: j.Topic, Dialer: dialer,
		StartOffset:      kafka.FirstOffset,
		CommitInterval:   CommitInterval, // 0, the default, commits every record by itself
		MinBytes:         1,
		MaxBytes:         10 << 20,               // 1 MB by default
		MaxWait:          500 * time.Millisecond, // 10 s by default, which delays its first record
		QueueCapacity:    10_000,                 // 100 by default
		JoinGroupBackoff: time.Second,            // 5 s by default
	}), nil
}

// kafkagoLoop handles one record after another, of all partitions.
func kafkagoLoop(ctx context.Context, j Job) error {
	reader, err := kafkagoReader(j)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // what it could not commit is not measured
	for {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			return err
		}
		_ = j.Handle(Record{int32(m.Partition), m.Offset, m.Value})
		if err := reader.CommitMessages(ctx, m); err != nil {
			return err
		}
	}
}

// kafkagoSerial gives each partition a goroutine, which kafka-go leaves to its
// user.
func kafkagoSerial(ctx context.Context, j Job) error {
	reader, err := kafkagoReader(j)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // what it could not commit is not measured
	lanes := make(map[int]chan kafka.Message)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			return err
		}
		lane := lanes[m.Partition]
		if lane == nil {
			// Room for more than one fetch, so that a partition does not
			// wait for another one's handler.
			lane = make(chan kafka.Message, 20_000)
			lanes[m.Partition] = lane
			all.Go(func() { serveMessages(ctx, reader, lane, j) })
		}
		select {
		case lane <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func serveMessages(ctx context.Context, reader *kafka.Reader, lane <-chan kafka.Message, j Job) {
	for {
		select {
		case m := <-lane:
			_ = j.Handle(Record{int32(m.Partition), m.Offset, m.Value})
			if reader.CommitMessages(ctx, m) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
