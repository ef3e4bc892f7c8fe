package arm

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	watermillkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	watermillsql "github.com/ThreeDotsLabs/watermill-sql/v3/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/components/forwarder"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway/outbox"
	"github.com/slipway-go/slipway/outbox/pgxbox"
)

// relaying is the contract of a service whose events go by its outbox.
const relaying = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s, owner: team-bench}
identity: {auth: scram-sha-512}
adopt: {principal: admin}
topics:
  %[2]s: {partitions: 6}
produces:
  %[2]s: {via: outbox, compression: none}
`

func slipwayRelay(s Spec, db *sql.DB) (*outboxRelay, error) {
	headers := eventHeaders(s.Topic)
	return &outboxRelay{
		prepare: func(ctx context.Context, db *sql.DB) error { return outbox.Migrate(ctx, db) },
		insert: func(ctx context.Context, tx *sql.Tx, key, value []byte) error {
			return outbox.SendRecord(ctx, tx, &kgo.Record{Topic: s.Topic, Key: key, Value: value, Headers: headers})
		},
		run: func(ctx context.Context) error {
			app, err := newApp(s.Endpoint, s.Run, fmt.Sprintf(relaying, s.Run, s.Topic))
			if err != nil {
				return err
			}
			if _, err := outbox.Open(app, outbox.Config{DB: db, Listen: pgxbox.Listen(s.Database)}); err != nil {
				return err
			}
			return app.Run(ctx)
		},
	}, nil
}

// watermillTopic names Watermill's table.
const watermillTopic = "events_to_forward"

// watermillRelay is Watermill's forwarder from Postgres to Kafka. Its table
// holds bytes, its subscriber reads 100 rows at once, which is its default, and
// looks every 10 ms instead of every second; its Kafka publisher waits for each
// message, and there is one: that is what keeps its order.
func watermillRelay(s Spec, db *sql.DB) (*outboxRelay, error) {
	bytea := func(string) string { return "BYTEA" }
	schema := watermillsql.DefaultPostgreSQLSchema{GeneratePayloadType: bytea, SubscribeBatchSize: 100}
	offsets := watermillsql.DefaultPostgreSQLOffsetsAdapter{}
	log := watermill.NopLogger{}
	return &outboxRelay{
		prepare: func(ctx context.Context, db *sql.DB) error {
			for _, q := range append(schema.SchemaInitializingQueries(watermillTopic), offsets.SchemaInitializingQueries(watermillTopic)...) {
				if _, err := db.ExecContext(ctx, q.Query, q.Args...); err != nil {
					return err
				}
			}
			return nil
		},
		insert: func(_ context.Context, tx *sql.Tx, key, value []byte) error {
			to, err := watermillsql.NewPublisher(tx, watermillsql.PublisherConfig{SchemaAdapter: schema}, log)
			if err != nil {
				return err
			}
			m := message.NewMessage(watermill.NewUUID(), value)
			m.Metadata.Set("key", string(key))
			return forwarder.NewPublisher(to, forwarder.PublisherConfig{ForwarderTopic: watermillTopic}).Publish(s.Topic, m)
		},
		run: func(ctx context.Context) error {
			from, err := watermillsql.NewSubscriber(db, watermillsql.SubscriberConfig{
				SchemaAdapter: schema, OffsetsAdapter: offsets, PollInterval: 10 * time.Millisecond,
			}, log)
			if err != nil {
				return err
			}
			config, err := saramaConfig(Job{Endpoint: s.Endpoint})
			if err != nil {
				return err
			}
			config.Producer.RequiredAcks = sarama.WaitForAll
			config.Producer.Return.Successes = true
			to, err := watermillkafka.NewPublisher(watermillkafka.PublisherConfig{
				Brokers: strings.Split(s.Endpoint.Bootstrap, ","), OverwriteSaramaConfig: config,
				Marshaler: watermillkafka.NewWithPartitioningMarshaler(func(_ string, m *message.Message) (string, error) {
					return m.Metadata.Get("key"), nil
				}),
			}, log)
			if err != nil {
				return err
			}
			f, err := forwarder.NewForwarder(from, to, log, forwarder.Config{ForwarderTopic: watermillTopic, CloseTimeout: time.Second})
			if err != nil {
				return err
			}
			return f.Run(ctx)
		},
	}, nil
}
