//go:build kafka

package slipway_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

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
)

func TestMain(m *testing.M) {
	if os.Getenv(workerName) != "" {
		os.Exit(work())
	}
	devtest.Main(m)
}

// estate is every service of the tests on real Kafka, by the lines below its
// metadata. Each has order.avsc beside its contract, and one apply serves all.
var estate = map[string]string{
	"writer": `identity: {auth: mtls}
topics:
  writer.events.v1: {key: order_id, partitions: 6, schema: {format: avro, file: order.avsc}}
  writer.placed.v1: {key: order_id, partitions: 6, schema: {format: avro, file: order.avsc}}
produces:
  writer.events.v1: {via: direct}
  writer.placed.v1: {via: direct}
`,
	"reader": `identity: {auth: mtls}
consumes:
  java.framed.v1: {}
  java.raw.v1: {}
`,
	"java": `identity: {auth: mtls}
topics:
  java.framed.v1: {key: order_id, partitions: 6, schema: {format: avro, file: order.avsc}}
  java.raw.v1: {partitions: 3}
produces:
  java.framed.v1: {via: direct}
  java.raw.v1: {via: direct}
consumes:
  writer.events.v1: {}
`,
	"source": `identity: {auth: mtls}
topics:
  flow.in.v1: {key: order_id, partitions: 12, schema: {format: avro, file: order.avsc}}
produces:
  flow.in.v1: {via: direct}
`,
	"relay": `identity: {auth: mtls}
topics:
  flow.out.v1: {key: order_id, partitions: 12, schema: {format: avro, file: order.avsc}}
produces:
  flow.out.v1: {via: direct}
consumes:
  flow.in.v1: {schema: {format: avro, file: order.avsc}, timeout: 2m, retry: {delays: [1s, 5s], then: dead-letter}}
`,
	"exact": `identity: {auth: mtls}
topics:
  exact.in.v1: {partitions: 12}
  exact.out.v1: {partitions: 12}
produces:
  exact.out.v1: {via: transaction}
consumes:
  exact.in.v1: {timeout: 2m, retry: {delays: [100ms], then: dead-letter}}
`,
	"soak":       enduring("soak"),
	"zombie":     enduring("zombie"),
	"apart":      enduring("apart"),
	"probed":     probedEstate,
	"bymtls":     deadLettering("bymtls", contract.MTLS),
	"renewed":    strings.ReplaceAll(deadLettering("renewed", contract.MTLS), "partitions: 1", "partitions: 6"),
	"byscram512": deadLettering("byscram512", contract.SCRAMSHA512),
	"byscram256": deadLettering("byscram256", contract.SCRAMSHA256),
}

// deadLettering is a service that handles what it produces.
func deadLettering(name string, auth contract.Auth) string {
	return strings.NewReplacer("NAME", name, "AUTH", string(auth)).Replace(`identity: {auth: AUTH}
topics:
  NAME.in.v1: {key: order_id, partitions: 1, schema: {format: avro, file: order.avsc}}
produces:
  NAME.in.v1: {via: direct}
consumes:
  NAME.in.v1: {retry: {delays: [100ms, 200ms], then: dead-letter}}
`)
}

// enduring is a service that is killed, stopped and cut off: records fail, wait
// in place and in the retry topic, and keys park.
func enduring(name string) string {
	return strings.ReplaceAll(`identity: {auth: mtls}
topics:
  NAME.in.v1: {partitions: 12}
produces:
  NAME.in.v1: {via: direct}
consumes:
  NAME.in.v1:
    concurrency: 64
    timeout: 2m
    session: 6s
    heartbeat: 1s
    retry: {delays: [50ms, 700ms, 1s, 2s], inPlace: 300ms, then: park}
`, "NAME", name)
}

func estateFiles() fstest.MapFS {
	all := fstest.MapFS{"clusters.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Clusters\nenvironments:\n  dev: {default: local}\n")}}
	for name, body := range estate {
		head := fmt.Sprintf("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: %s, owner: team}\n", name)
		all[name+"/slipway.yaml"] = &fstest.MapFile{Data: []byte(head + body)}
		all[name+"/order.avsc"] = &fstest.MapFile{Data: []byte(orderSchema)}
	}
	return all
}

// A realKafka is the shared cluster with the estate applied to it.
type realKafka struct {
	*dev.Cluster
	registry  *schema.Admin
	want      *plan.Desired
	passwords map[string]secret.Secret
}

// applied is the process's one. Tests have no other common place.
var applied struct {
	sync.Mutex
	*realKafka
}

// onKafka returns the cluster, and the first time applies the estate to it.
func onKafka(t *testing.T) *realKafka {
	t.Helper()
	applied.Lock()
	defer applied.Unlock()
	c := devtest.Cluster(t)
	if applied.realKafka == nil {
		r := &realKafka{Cluster: c, passwords: make(map[string]secret.Secret)}
		r.apply(t)
		applied.realKafka = r
	}
	return applied.realKafka
}

func (r *realKafka) apply(t *testing.T) {
	t.Helper()
	loaded, faults := contract.Load(estateFiles(), ".")
	resolved, more := loaded.In("dev")
	if err := errors.Join(faults.Err(), more.Err()); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.want, err = plan.Derive(resolved, contract.Local); err != nil {
		t.Fatal(err)
	}
	if r.registry, err = schema.NewAdmin(schema.ClientConfig{URL: r.Registry()}); err != nil {
		t.Fatal(err)
	}
	admin := r.administer(t)
	target := plan.Target{Cluster: admin, Registry: r.registry, Passwords: func(user string) (secret.Secret, error) {
		r.passwords[user] = secret.Generate()
		return r.passwords[user], nil
	}}
	if err := plan.Apply(t.Context(), target, r.plan(t, admin), nil); err != nil {
		t.Fatal(err)
	}
	every := client(t, r.Admin())
	await(t, 30*time.Second, "every node to know what was applied", func() bool { return r.everywhere(t.Context(), every) })
	if p := r.plan(t, admin); !p.Empty() {
		t.Fatalf("after apply there is still %v", p.Changes)
	}
}

// everywhere reports whether every node knows what was applied. Topics and
// users come before rights and nodes follow one log, so a node that has all
// rights has all.
func (r *realKafka) everywhere(ctx context.Context, cl *kgo.Client) bool {
	for _, n := range r.Nodes() {
		req := kmsg.NewPtrDescribeACLsRequest()
		req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
		req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
		resp, err := req.RequestWith(ctx, cl.Broker(n.ID()))
		if err != nil || resp.ErrorCode != 0 {
			return false
		}
		bindings := 0
		for _, resource := range resp.Resources {
			bindings += len(resource.ACLs)
		}
		if bindings < len(r.want.Grants) {
			return false
		}
	}
	return true
}

func (r *realKafka) plan(t *testing.T, admin *kafka.Cluster) *plan.Plan {
	t.Helper()
	have, err := plan.Read(t.Context(), r.want, admin, r.registry)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Diff(r.want, have)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (r *realKafka) administer(t *testing.T) *kafka.Cluster {
	t.Helper()
	login := r.Admin()
	pair, err := tls.LoadX509KeyPair(filepath.Join(login.Dir, pki.CertificateFile), filepath.Join(login.Dir, pki.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := kafka.Connect(t.Context(), kafka.Config{
		Bootstrap: login.Bootstrap, Auth: contract.MTLS,
		TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.Authority().Pool(), Certificates: []tls.Certificate{pair}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	return admin
}

// login is how a service connects: by the password it was given at apply, else
// by a certificate.
func (r *realKafka) login(t *testing.T, name string) dev.Login {
	t.Helper()
	user := "svc-" + name + "-dev"
	login, err := r.Certificate(user)
	if password, found := r.passwords[user]; found {
		mechanism := dev.SHA512
		if strings.Contains(estate[name], string(contract.SCRAMSHA256)) {
			mechanism = dev.SHA256
		}
		login, err = r.Password(user, password.Reveal(), mechanism)
	}
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// client connects without the SDK.
func client(t *testing.T, login dev.Login, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(login.Options(), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// A process is one instance of a service, run in this process with nothing
// but what its environment tells it.
type process struct {
	log  *journal
	stop func() // drains; once
}

func (r *realKafka) start(t *testing.T, name, instance string, wire func(*slipway.App) error) *process {
	t.Helper()
	return r.startWith(t, name, instance, func(*slipway.Config) {}, wire)
}

// startWith is start with something else than the service would find by itself.
func (r *realKafka) startWith(t *testing.T, name, instance string, configure func(*slipway.Config), wire func(*slipway.App) error) *process {
	t.Helper()
	vars := map[string]string{"ENVIRONMENT": "dev"}
	for _, entry := range r.login(t, name).Environment() {
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
	p := &process{log: &journal{}}
	cfg := slipway.Config{
		Files: own, Environment: env, Instance: instance, Logger: slog.New(slog.NewTextHandler(p.log, nil)),
		Codecs: []schema.Codec{avro.Codec()},
	}
	configure(&cfg)
	app, err := slipway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := wire(app); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: Run() = %v", name, err)
		}
		if t.Failed() {
			t.Logf("%s logged\n%s", name, p.log.tail())
		}
	})
	t.Cleanup(p.stop)
	await(t, 30*time.Second, name+" to be ready", func() bool { return app.Ready() == nil || len(ended) > 0 })
	if len(ended) > 0 {
		p.stop() // tells why
		t.FailNow()
	}
	return p
}

// A journal is what a service logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) count(what string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), what)
}

func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.text.String()
	return s[max(0, len(s)-8<<10):]
}

// await fails the test if what it waits for does not come.
func await(t *testing.T, limit time.Duration, what string, came func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	over := time.After(limit)
	for !came() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("waited %v in vain for %s", limit, what)
		}
	}
}

// readAll returns what lies in topics, read by the administrator to their ends
// as they are now.
func (r *realKafka) readAll(t *testing.T, topics ...string) []*kgo.Record {
	t.Helper()
	ends, err := r.administer(t).EndOffsets(t.Context(), topics...)
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, n := range ends {
		left += int(n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cl := client(t, r.Admin(), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var all []*kgo.Record
	for len(all) < left && ctx.Err() == nil {
		all = append(all, cl.PollFetches(ctx).Records()...)
	}
	if len(all) < left {
		t.Fatalf("%d records of %v could be read, want %d", len(all), topics, left)
	}
	return all
}

// denials are what the authorizers of all nodes refused to a service.
func (r *realKafka) denials(t *testing.T, name string) []string {
	t.Helper()
	var denied []string
	for _, n := range r.Nodes() {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(n.Log()), "authorizer.log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, "Principal = User:svc-"+name+"-dev is Denied") {
				denied = append(denied, strings.TrimSpace(line))
			}
		}
	}
	return denied
}
