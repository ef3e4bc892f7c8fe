//go:build kafka

package outbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/connect"
	"github.com/slipway-go/slipway/internal/database"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/postgres/pgtest"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/outbox"
)

const (
	debeziumVersion = "3.5.0.Final"
	eventsTopic     = "orders.placed.v1"
	eventKeys       = 20
	eventsOfKey     = 50
)

// Rows that handlers put into the outbox come out of the topic by Debezium as
// Slipway's relay would write them: the same topic, key, value and headers, in
// the order of each key, and none is lost when Kafka Connect gets SIGKILL on
// the way. Then they are deleted.
func TestDebeziumPublishesWhatSlipwayWould(t *testing.T) {
	cluster, err := dev.Up(t.Context(), dev.Config{Ephemeral: true, StartTimeout: 4 * time.Minute})
	devtest.Require(t, err)
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	createTopic(t, cluster)
	server := pgtest.Server(t, map[string]string{"wal_level": "logical"})
	if err := server.Create(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), server.URL("orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	withEffects(t, db)
	svc := debeziumService(t, db, server.Port())
	for _, statement := range svc.OutboxRights() {
		if _, err := db.ExecContext(t.Context(), strings.ReplaceAll(statement, "…", "of-cdc")); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "db.properties"), []byte("password=of-cdc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	worker := newWorker(t, cluster, dir)
	began := time.Now()
	worker.start(t)
	t.Logf("Kafka Connect answers after %v", time.Since(began))
	config, err := svc.ConnectorConfig(svc.Connectors["outbox"])
	if err != nil {
		t.Fatal(err)
	}
	config["database.password"] = "${file:" + filepath.Join(dir, "db.properties") + ":password}"
	config["heartbeat.interval.ms"] = "1000" // a test is not to wait for ten
	putEvents(t, db, 0, eventsOfKey/2)       // the first half is there before the connector: the snapshot has it
	if faults, err := worker.client.Validate(t.Context(), config); err != nil || len(faults) > 0 {
		t.Fatalf("the plugin has against the settings: %v, %v", faults, err)
	}
	if err := worker.client.Put(t.Context(), config["name"], config); err != nil {
		t.Fatal(err)
	}
	got := newReader(t, cluster)
	got.until(t, worker, 10)
	t.Logf("the first events after %v", time.Since(began))
	worker.kill(t)
	putEvents(t, db, eventsOfKey/2, eventsOfKey)
	worker.start(t)
	t.Logf("Kafka Connect is back after %v", time.Since(began))
	got.until(t, worker, eventKeys*eventsOfKey)
	t.Logf("all events after %v", time.Since(began))
	got.require(t)
	requireSwept(t, db, svc.OutboxSlot())
}

// requireSwept sweeps until the rows are gone, which needs the heartbeats to
// move the slot.
func requireSwept(t *testing.T, db *sql.DB, slot string) {
	t.Helper()
	s := outbox.NewSweeper(db, slot, slog.New(slog.DiscardHandler))
	limit := time.After(time.Minute)
	for {
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		left := number(t, db, "SELECT count(*) FROM slipway_outbox")
		if left == 0 {
			return
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-limit:
			t.Fatalf("%d rows are still in the outbox a minute after they were published", left)
		}
	}
}

// debeziumService is a contract whose outbox Debezium relays; this process
// knows of it as a service does.
func debeziumService(t *testing.T, db *sql.DB, port int) *contract.Service {
	t.Helper()
	app, err := slipway.New(slipway.Config{
		Files: fstest.MapFS{"slipway.yaml": {Data: fmt.Appendf(nil, `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: orders, owner: team-orders}
topics: {%s: {key: order_id}}
produces: {%[1]s: {via: outbox}}
outbox: {relay: debezium, database: {host: 127.0.0.1, port: %d, name: orders, user: cdc, password: "${file:/secrets:password}", tls: disable}}
`, eventsTopic, port)}},
		Environment: slipway.Environment{Name: "prod", BootstrapServers: "127.0.0.1:1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := outbox.Open(app, outbox.Config{DB: db}); err != nil {
		t.Fatal(err)
	}
	return app.Contract()
}

// event is the n-th record of a key. Some are tombstones, none is text alone.
func event(key, n int) *kgo.Record {
	rec := &kgo.Record{
		Topic: eventsTopic, Key: fmt.Appendf(nil, "key\x00\xff%d", key), Value: fmt.Appendf(nil, "\x00\x00\x00\x00\x07%d\xfe", n),
		Headers: []kgo.RecordHeader{
			{Key: "ce_id", Value: fmt.Appendf(nil, "event-%d-%d", key, n)},
			{Key: "ce_source", Value: []byte("/orders")},
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_type", Value: []byte("orders.placed")},
			{Key: "ce_time", Value: []byte("2026-11-22T00:00:00.123456789Z")},
			{Key: "content-type", Value: []byte("application/avro")},
			{Key: "traceparent", Value: []byte("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")},
		},
	}
	if n%10 == 9 {
		rec.Value = nil
	}
	return rec
}

// putEvents has handlers put events of every key into the outbox, side by side.
func putEvents(t *testing.T, db *sql.DB, from, to int) {
	t.Helper()
	var wg sync.WaitGroup
	for key := range eventKeys {
		wg.Go(func() {
			for n := from; n < to; n++ {
				ctx := slipway.WithDelivery(t.Context(), slipway.Delivery{Entry: "e", Group: "g", ID: fmt.Sprint(key, "/", n), Keep: time.Hour})
				err := outbox.Do(ctx, db, func(ctx context.Context, tx *sql.Tx) error {
					return outbox.SendRecord(ctx, tx, event(key, n))
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// reader is what the topic says.
type reader struct {
	client *kgo.Client
	seen   map[string][]*kgo.Record // by event id
	first  map[string][]string      // of each key, the ids in the order in which they came first
}

func newReader(t *testing.T, cluster *dev.Cluster) *reader {
	t.Helper()
	client, err := kgo.NewClient(append(cluster.Admin().Options(), kgo.ConsumeTopics(eventsTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &reader{client, map[string][]*kgo.Record{}, map[string][]string{}}
}

// until reads until so many different events have come.
func (r *reader) until(t *testing.T, w *connectWorker, events int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for len(r.seen) < events {
		fetches := r.client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d events have come\n%s", len(r.seen), events, w.said())
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			id := ""
			for _, h := range rec.Headers {
				if h.Key == "ce_id" {
					id = string(h.Value)
				}
			}
			if r.seen[id] == nil {
				r.first[string(rec.Key)] = append(r.first[string(rec.Key)], id)
			}
			r.seen[id] = append(r.seen[id], rec)
		})
	}
}

// require compares what has come with what was put in.
func (r *reader) require(t *testing.T) {
	t.Helper()
	copies := 0
	for key := range eventKeys {
		var order []string
		for n := range eventsOfKey {
			want := event(key, n)
			id := string(want.Headers[0].Value)
			order = append(order, id)
			for _, got := range r.seen[id] {
				if !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
					t.Errorf("%s has key %q and value %q, want %q and %q", id, got.Key, got.Value, want.Key, want.Value)
				}
				if diff := cmp.Diff(headersOf(want), headersOf(got)); diff != "" {
					t.Fatalf("headers of %s (-put in +came out):\n%s", id, diff)
				}
			}
			copies += max(0, len(r.seen[id])-1)
		}
		if got := r.first[string(event(key, 0).Key)]; !cmp.Equal(got, order) {
			t.Errorf("key %d came in the order %v", key, got)
		}
	}
	t.Logf("%d events, %d of them twice", len(r.seen), copies)
}

func headersOf(rec *kgo.Record) map[string]string {
	all := make(map[string]string, len(rec.Headers))
	for _, h := range rec.Headers {
		all[h.Key] += string(h.Value)
	}
	return all
}

func createTopic(t *testing.T, c *dev.Cluster) {
	t.Helper()
	login := c.AdminPassword()
	text, err := os.ReadFile(filepath.Join(login.Dir, dev.PasswordFile))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := kafka.Connect(t.Context(), kafka.Config{
		Bootstrap: login.Bootstrap, TLS: &tls.Config{RootCAs: c.Authority().Pool()}, Auth: contract.SCRAMSHA512, User: login.Name, Password: auth.Static(secret.New(string(text))),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := errors.Join(admin.CreateTopics(t.Context(), []kafka.Topic{
		{Name: eventsTopic, Partitions: 3, Replicas: 3}, {Name: "svc-orders-prod.outbox.heartbeat", Partitions: 1, Replicas: 3},
	})...); err != nil {
		t.Fatal(err)
	}
}

// A connectWorker is Kafka Connect with Debezium, to be killed.
type connectWorker struct {
	client  *connect.Client
	args    []string
	log     string
	command *exec.Cmd
}

func newWorker(t *testing.T, c *dev.Cluster, dir string) *connectWorker {
	t.Helper()
	login, err := os.ReadFile(filepath.Join(c.Admin().Dir, dev.PropertiesFile))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cache := debezium(t)
	properties := `group.id=connect
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=connect-config
offset.storage.topic=connect-offset
status.storage.topic=connect-status
offset.storage.partitions=1
status.storage.partitions=1
offset.flush.interval.ms=1000
session.timeout.ms=6000
heartbeat.interval.ms=2000
scheduled.rebalance.max.delay.ms=0
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
plugin.path=` + filepath.Join(cache, "debezium-"+debeziumVersion) + "\nlisteners=http://" + address + "\n"
	for line := range strings.Lines(string(login)) {
		properties += line
		if !strings.HasPrefix(line, "bootstrap.servers") {
			properties += "producer." + line + "consumer." + line + "admin." + line
		}
	}
	file := filepath.Join(dir, "connect.properties")
	if err := os.WriteFile(file, []byte(properties), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := connect.New(connect.Config{URL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &connectWorker{client: client, log: filepath.Join(dir, "connect.log"), args: []string{
		"-Xmx400m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", filepath.Join(cache, "kafka-4.3.1", "*"), "org.apache.kafka.connect.cli.ConnectDistributed", file,
	}}
}

// debezium is the user's cache, with the plugin in it: fetched once, and whole
// or not at all.
func debezium(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "slipway")
	dir := filepath.Join(cache, "debezium-"+debeziumVersion)
	if _, err := os.Stat(dir); err == nil {
		return cache
	}
	tmp, err := os.MkdirTemp(cache, ".debezium-") //nolint:usetesting // to be renamed within the cache
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	out, err := exec.CommandContext(t.Context(), "mvn", "-q", "-B", "--strict-checksums", "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:unpack",
		"-Dartifact=io.debezium:debezium-connector-postgres:"+debeziumVersion+":tar.gz:plugin", "-DoutputDirectory="+filepath.Join(tmp, "out")).CombinedOutput()
	if err != nil {
		t.Fatalf("fetch Debezium: %v\n%s", err, out)
	}
	if err := os.Rename(filepath.Join(tmp, "out"), dir); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	return cache
}

// start runs the worker and waits until it answers.
func (w *connectWorker) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w.command = exec.CommandContext(t.Context(), "java", w.args...)
	w.command.Stdout, w.command.Stderr = log, log
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	command := w.command
	t.Cleanup(func() { _ = command.Wait() }) // killed, or when the test's context ended
	limit := time.After(2 * time.Minute)
	for {
		if _, err = w.client.Connectors(t.Context()); err == nil {
			return
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-limit:
			t.Fatalf("Kafka Connect does not answer: %v\n%s", err, w.said())
		}
	}
}

func (w *connectWorker) kill(t *testing.T) {
	t.Helper()
	if err := w.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = w.command.Wait() // it was killed
}

func (w *connectWorker) said() string {
	text, _ := os.ReadFile(w.log)
	return string(text[max(0, len(text)-6000):])
}
