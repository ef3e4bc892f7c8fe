package dlq_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/dlq"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/parking"
	"github.com/slipway-go/slipway/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	orders  = "orders.created.v1"
	dead    = "svc-s-dev.orders.created.v1.dlq"
	retry   = "svc-s-dev.orders.created.v1.retry"
	redrive = "svc-s-dev-redrive"
)

// estate is a service with dead letters, whose consumed topic nobody owns.
func estate(t testing.TB, consume string) *contract.Resolved {
	t.Helper()
	e, problems := contract.Load(fstest.MapFS{
		"s/slipway.yaml": {Data: []byte("apiVersion: slipway.dev/v1\nkind: Service\nmetadata: {name: s, owner: team}\nconsumes: {orders.created.v1: " + consume + "}\n")},
		"external.yaml":  {Data: []byte("apiVersion: slipway.dev/v1\nkind: External\ntopics: {orders.created.v1: {partitions: 3}}\n")},
	}, ".")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	r, problems := e.In("dev")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// A bench is a cluster with the topics of the estate's service, and a hand that
// may do everything.
type bench struct {
	t      testing.TB
	fake   *kfake.Cluster
	admin  *kafka.Cluster
	hand   *kgo.Client
	source dlq.Source
	wrote  map[int32]int // letters, by partition
}

const waits = "{retry: {delays: [1m]}}"

func newBench(t testing.TB) *bench {
	t.Helper()
	fake, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("SCRAM-SHA-512", "admin", "pencil"),
		kfake.SeedTopics(3, dead, retry),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	b := &bench{t: t, fake: fake, wrote: map[int32]int{}}
	b.admin, err = kafka.Connect(t.Context(), b.login("admin"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.admin.Close)
	b.hand = b.newHand()
	r := estate(t, waits)
	b.source = dlq.Sources(r, contract.Embedded)[0]
	b.allow(r)
	return b
}

func (b *bench) login(user string) kafka.Config {
	return kafka.Config{
		Bootstrap: strings.Join(b.fake.ListenAddrs(), ","), Auth: contract.SCRAMSHA512,
		User: user, Password: auth.Static(secret.New("pencil")), Timeout: 5 * time.Second,
	}
}

func (b *bench) newHand(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	how, err := b.login("admin").Options()
	if err != nil {
		b.t.Fatal(err)
	}
	client, err := kgo.NewClient(append(append(how, kgo.RecordPartitioner(kgo.ManualPartitioner())), opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(client.Close)
	return client
}

// allow gives the redrive user what the contract derives for it, and no more.
func (b *bench) allow(r *contract.Resolved) {
	b.t.Helper()
	login := kafka.Login{Credential: kafka.Credential{User: redrive, Mechanism: contract.SCRAMSHA512}, Password: secret.New("pencil")}
	if err := errors.Join(b.admin.SetPasswords(b.t.Context(), []kafka.Login{login})...); err != nil {
		b.t.Fatal(err)
	}
	var rights []acl.Binding
	for _, g := range acl.Derive(r) {
		if g.Principal == "User:"+redrive {
			rights = append(rights, g.Binding)
		}
	}
	if err := errors.Join(b.admin.Grant(b.t.Context(), rights)...); err != nil {
		b.t.Fatal(err)
	}
}

// client is one that logs in as the redrive principal.
func (b *bench) client(change ...func(*dlq.Config)) *dlq.Client {
	b.t.Helper()
	how, err := b.login(redrive).Options()
	if err != nil {
		b.t.Fatal(err)
	}
	cfg := dlq.Config{Options: how, Principal: "User:" + redrive, Patience: 10 * time.Second}
	for _, f := range change {
		f(&cfg)
	}
	c, err := dlq.Open(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

// die writes a letter of a record of source partition p, into the dead-letter
// partition of the same number, and returns its place.
func (b *bench) die(p int32, key, reason string, more ...string) dlq.Ref {
	b.t.Helper()
	n := b.wrote[p]
	b.wrote[p]++
	r := letter(append([]string{
		"ce_id", "e-" + strconv.Itoa(n), "__dlq.errors.topic", orders, "__dlq.errors.partition", strconv.Itoa(int(p)),
		"__dlq.errors.offset", strconv.Itoa(100 + n), "__dlq.errors.group", "svc-s-dev", "__dlq.errors.delivery.count", "2",
		"__dlq.errors.message", "read tcp: timeout", "slipway-reason", reason, "slipway-timestamp", "2026-11-20T09:58:00Z",
	}, more...)...)
	r.Topic, r.Partition, r.Key, r.Value = dead, p, []byte(key), fmt.Appendf(nil, "value %d", n)
	return b.write(r)
}

func (b *bench) write(r *kgo.Record) dlq.Ref {
	b.t.Helper()
	if err := b.hand.ProduceSync(b.t.Context(), r).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
	return dlq.Ref{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
}

// commands are what the retry topic holds, partition by partition.
func (b *bench) commands() []*kgo.Record {
	b.t.Helper()
	ends, err := b.admin.EndOffsets(b.t.Context(), retry)
	if err != nil {
		b.t.Fatal(err)
	}
	reader := b.newHand(kgo.ConsumeTopics(retry), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	var all []*kgo.Record
	for int64(len(all)) < ends[retry] {
		fetches := reader.PollFetches(b.t.Context())
		if err := fetches.Err(); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, fetches.Records()...)
	}
	slices.SortStableFunc(all, func(x, y *kgo.Record) int { return int(x.Partition - y.Partition) })
	return all
}

// told is the commands in words: partition, what to do, ticket, key, and what
// an injection carries.
func (b *bench) told() []string {
	b.t.Helper()
	var all []string
	for _, r := range b.commands() {
		all = append(all, tell(b.t, r))
	}
	return all
}

func tell(t testing.TB, r *kgo.Record) string {
	t.Helper()
	e, err := parking.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	ops := map[parking.Op]string{parking.Release: "release", parking.Skip: "skip", parking.Park: "park", parking.Inject: "inject"}
	text := fmt.Sprintf("%d %s %s %d %d %s redrives=%d", r.Partition, ops[e.Op], e.Ticket.Life, e.Ticket.Epoch, e.Ticket.Offset, e.Key, e.Redrives)
	if e.Op != parking.Inject {
		return text
	}
	original := parking.Original(r, e, orders, r.Partition)
	text += fmt.Sprintf(" at %s: %q", original.Timestamp.UTC().Format(time.RFC3339), original.Value)
	for _, h := range original.Headers {
		text += fmt.Sprintf(" %s=%s", h.Key, h.Value)
	}
	return text
}
