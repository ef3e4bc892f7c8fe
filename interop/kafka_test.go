//go:build kafka && cgo

package interop_test

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/internal/dev"
	"github.com/slipway-go/slipway/internal/dev/devtest"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/pki"
	"github.com/slipway-go/slipway/plan"
	"github.com/slipway-go/slipway/schema"
	"github.com/slipway-go/slipway/schema/avro"
	"github.com/slipway-go/slipway/schema/jsonvalue"
	"github.com/slipway-go/slipway/schema/proto"
)

func TestMain(m *testing.M) { devtest.Main(m) }

// order is the value of every topic here. Confluent's Avro library reads the
// same tags.
type order struct {
	OrderID string `avro:"order_id"`
	Amount  int64  `avro:"amount"`
}

const orderSchema = `{"type": "record", "name": "Order", "namespace": "interop", "fields": [
	{"name": "order_id", "type": "string"},
	{"name": "amount", "type": "long"}
]}`

//go:embed testdata/order.proto
var orderProto []byte

// codecs are all compressions that Kafka knows.
var codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// services are the estate, each by what is below its metadata.
var services = map[string]string{
	"writer": `topics:
  writer.none.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  writer.gzip.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  writer.snappy.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  writer.lz4.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  writer.zstd.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  writer.numbers.v1: {key: {field: amount, format: int64}, partitions: 3, schema: {file: order.avsc}}
  writer.deleted.v1: {key: order_id, partitions: 3, compact: true, schema: {file: order.avsc}}
  writer.start.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  writer.exact.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
produces:
  writer.none.v1: {via: direct, compression: none, linger: 20ms}
  writer.gzip.v1: {via: direct, compression: gzip, linger: 20ms}
  writer.snappy.v1: {via: direct, compression: snappy, linger: 20ms}
  writer.lz4.v1: {via: direct, compression: lz4, linger: 20ms}
  writer.zstd.v1: {via: direct, compression: zstd, linger: 20ms}
  writer.numbers.v1: {via: direct, linger: 20ms}
  writer.deleted.v1: {via: direct, linger: 20ms}
  writer.exact.v1: {via: transaction}
consumes:
  writer.start.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
`,
	"foreign": `topics:
  foreign.sarama.v1: {key: order_id, partitions: 3, partitioner: sarama, schema: {file: order.avsc}}
  foreign.kafkago.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
  foreign.librdkafka.v1: {key: order_id, partitions: 3, partitioner: librdkafka, schema: {file: order.avsc}}
  foreign.java.v1: {key: order_id, partitions: 3, schema: {file: order.avsc}}
produces:
  foreign.sarama.v1: {via: direct}
  foreign.kafkago.v1: {via: direct}
  foreign.librdkafka.v1: {via: direct}
  foreign.java.v1: {via: direct}
`,
	"formats": `topics:
  formats.json.v1: {key: order_id, partitions: 3, schema: {file: order.json}}
  formats.protobuf.v1: {key: order_id, partitions: 3, schema: {file: order.proto, message: interop.Placed}}
produces:
  formats.json.v1: {via: direct}
  formats.protobuf.v1: {via: direct}
consumes:
  formats.json.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
  formats.protobuf.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
`,
	"reader": `consumes:
  foreign.sarama.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
  foreign.kafkago.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
  foreign.librdkafka.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
  foreign.java.v1: {start: earliest, retry: {delays: [1s], then: dead-letter}}
`,
}

func estateFiles() fstest.MapFS {
	all := fstest.MapFS{"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments:\n  dev: {default: local}\n")}}
	for name, body := range services {
		head := "apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: " + name + ", owner: team}\nidentity: {auth: mtls}\n"
		all[name+"/slipway.yaml"] = &fstest.MapFile{Data: []byte(head + body)}
		all[name+"/order.avsc"] = &fstest.MapFile{Data: []byte(orderSchema)}
		all[name+"/order.json"] = &fstest.MapFile{Data: []byte(documentSchema)}
		all[name+"/order.proto"] = &fstest.MapFile{Data: orderProto}
	}
	return all
}

// applied is the cluster with the estate on it, once for all tests.
var applied struct {
	sync.Mutex
	cluster *dev.Cluster
}

// onKafka returns the cluster, and applies the estate to it the first time.
func onKafka(t *testing.T) *dev.Cluster {
	t.Helper()
	applied.Lock()
	defer applied.Unlock()
	c := devtest.Cluster(t)
	if applied.cluster == nil {
		apply(t, c)
		applied.cluster = c
	}
	return c
}

func apply(t *testing.T, c *dev.Cluster) {
	t.Helper()
	loaded, faults := contract.Load(estateFiles(), ".")
	resolved, more := loaded.In("dev")
	if err := errors.Join(faults.Err(), more.Err()); err != nil {
		t.Fatal(err)
	}
	want, err := plan.Derive(resolved, contract.Local)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := schema.NewAdmin(schema.ClientConfig{URL: c.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	admin, err := kafka.Connect(t.Context(), kafka.Config{Bootstrap: c.Admin().Bootstrap, Auth: contract.MTLS, TLS: mutual(t, c)})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	have, err := plan.Read(t.Context(), want, admin, registry)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := plan.Diff(want, have)
	if err != nil {
		t.Fatal(err)
	}
	target := plan.Target{Cluster: admin, Registry: registry, Passwords: func(string) (secret.Secret, error) { return secret.Generate(), nil }}
	if err := plan.Apply(t.Context(), target, changes, nil); err != nil {
		t.Fatal(err)
	}
}

// mutual is how the other Go clients connect: as the administrator, by
// certificate. Their rights are not what is shown here.
func mutual(t *testing.T, c *dev.Cluster) *tls.Config {
	t.Helper()
	dir := c.Admin().Dir
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, pki.CertificateFile), filepath.Join(dir, pki.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Authority().Pool(), Certificates: []tls.Certificate{pair}}
}

// start runs a service with its own identity until the returned function is
// called.
func start(t *testing.T, c *dev.Cluster, name string, wire func(*slipway.App)) (stop func()) {
	t.Helper()
	login, err := c.Certificate("svc-" + name + "-dev")
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"ENVIRONMENT": "dev"}
	for _, entry := range login.Environment() {
		key, value, _ := strings.Cut(entry, "=")
		vars[key] = value
	}
	env, err := slipway.EnvironmentFrom(func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	own, err := fs.Sub(estateFiles(), name)
	if err != nil {
		t.Fatal(err)
	}
	app, err := slipway.New(slipway.Config{
		Files: own, Environment: env, Instance: "0", Codecs: []schema.Codec{avro.Codec(), jsonvalue.Codec(), proto.Codec()},
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	wire(app)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: Run() = %v", name, err)
		}
	})
	t.Cleanup(stop)
	await(t, name+" to be ready", func() bool { return app.Ready() == nil || len(ended) > 0 })
	if len(ended) > 0 {
		stop() // tells why
		t.FailNow()
	}
	return stop
}

// await fails the test if what it waits for does not come within a minute.
func await(t *testing.T, what string, came func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	over := time.After(time.Minute)
	for !came() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("waited a minute in vain for %s", what)
		}
	}
}
