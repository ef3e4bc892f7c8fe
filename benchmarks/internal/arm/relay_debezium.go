package arm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	slipway "github.com/slipway-go/slipway"

	"github.com/slipway-go/slipway/benchmarks/internal/broker"
	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/outbox"
)

// debeziumVersion is the one that package outbox is tested with, whose test on
// real Kafka fetches it.
const debeziumVersion = "3.5.0.Final"

// streaming is the contract of a service whose outbox Debezium relays.
const streaming = `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: %[1]s, owner: team-bench}
topics:
  %[2]s: {partitions: 6, key: n}
produces:
  %[2]s: {via: outbox}
outbox: {relay: debezium, database: {host: 127.0.0.1, port: %[3]s, name: %[4]s, user: %[4]s, password: "${file:%[5]s:password}", tls: disable}}
`

// worker is a worker of Kafka Connect, with the converters' and the stores'
// settings that one node needs.
const worker = `group.id=%[1]s
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=%[1]s.config
offset.storage.topic=%[1]s.offset
status.storage.topic=%[1]s.status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
plugin.path=%[2]s
listeners=http://%[3]s
bootstrap.servers=%[4]s
`

// debeziumRelay is Debezium in a Kafka Connect of its own, with the connector
// that Slipway derives from a contract. It talks to the broker in plaintext,
// which the other arms may not.
func debeziumRelay(s Spec, db *sql.DB) (*outboxRelay, error) {
	at, err := url.Parse(s.Database)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "debezium-")
	if err != nil {
		return nil, err
	}
	secret := filepath.Join(dir, "secret.properties")
	app, err := slipway.New(slipway.Config{
		Files:       fstest.MapFS{"slipway.yaml": {Data: fmt.Appendf(nil, streaming, s.Run, s.Topic, at.Port(), strings.TrimPrefix(at.Path, "/"), secret)}},
		Environment: slipway.Environment{Name: "prod", BootstrapServers: s.Endpoint.Bootstrap},
	})
	if err != nil {
		return nil, err
	}
	if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
		return nil, err
	}
	svc := app.Contract()
	headers := eventHeaders(s.Topic)
	return &outboxRelay{
		prepare: func(ctx context.Context, db *sql.DB) error {
			if err := errors.Join(outbox.Migrate(ctx, db), broker.Create(ctx, s.Endpoint, svc.OutboxHeartbeatTopic()),
				os.WriteFile(secret, []byte("password=bench\n"), 0o600)); err != nil {
				return err
			}
			for _, statement := range svc.OutboxRights() {
				if _, err := db.ExecContext(ctx, strings.ReplaceAll(statement, "…", "bench")); err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
			return nil
		},
		insert: func(ctx context.Context, tx *sql.Tx, key, value []byte) error {
			return outbox.SendRecord(ctx, tx, &kgo.Record{Topic: s.Topic, Key: key, Value: value, Headers: headers})
		},
		run: func(ctx context.Context) (err error) {
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			config, err := svc.ConnectorConfig(svc.Connectors["outbox"])
			if err != nil {
				return err
			}
			return stream(ctx, s, dir, config)
		},
	}, nil
}

// stream runs a worker with one connector until ctx ends.
func stream(ctx context.Context, s Spec, dir string, config map[string]string) error {
	jars, err := broker.Jars()
	if err != nil {
		return err
	}
	plugin := filepath.Join(filepath.Dir(jars), "debezium-"+debeziumVersion)
	if _, err := os.Stat(plugin); err != nil {
		return fmt.Errorf("no Debezium in %s: run go test -tags kafka -run Debezium ./outbox once, it fetches it", plugin)
	}
	ports, err := broker.FreePorts(1)
	if err != nil {
		return err
	}
	address, file := fmt.Sprintf("127.0.0.1:%d", ports[0]), filepath.Join(dir, "connect.properties")
	if err := os.WriteFile(file, fmt.Appendf(nil, worker, s.Run, plugin, address, s.Endpoint.Plaintext), 0o600); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", filepath.Join(jars, "*"), "org.apache.kafka.connect.cli.ConnectDistributed", file)
	said, err := os.Create(filepath.Join(dir, "connect.log"))
	if err != nil {
		return err
	}
	defer said.Close()
	command.Stdout, command.Stderr = said, said
	if err := command.Start(); err != nil {
		return err
	}
	client, err := connect.New(connect.Config{URL: "http://" + address})
	if err != nil {
		return err
	}
	defer client.Close()
	for client.Put(ctx, config["name"], config) != nil && pause(ctx, 200*time.Millisecond) == nil {
	}
	if ended := command.Wait(); ctx.Err() == nil {
		return fmt.Errorf("Kafka Connect ended: %w", ended)
	}
	return nil
}
