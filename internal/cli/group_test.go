package cli_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/slipway-go/slipway/group"
	"github.com/slipway-go/slipway/internal/cli"
	"github.com/slipway-go/slipway/internal/embedded"
)

const (
	stockGroup  = "svc-stock-prod"
	stockSource = "orders.created.v1"
	stockRetry  = "svc-stock-prod.orders.created.v1.retry"
)

// A groupFixture is a cluster with an estate whose service stock has three
// records before it and two that wait for another attempt.
type groupFixture struct {
	*testing.T
	dir    string
	getenv func(string) string
	opts   []kgo.Opt
	client *kgo.Client

	registry embedded.RegistryAccess
	tls      *tls.Config // that trusts the cluster
}

func stockroom(t *testing.T) *groupFixture {
	t.Helper()
	c, err := embedded.Start(t.Context(), embedded.Config{Brokers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	f := &groupFixture{T: t, opts: c.Options(c.Admin()), registry: c.Registry(), tls: trusting(c.CA())}
	f.client = f.connect(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	f.dir = place(t, map[string]string{
		"ca.crt": string(c.CA()), "password": c.Admin().Password,
		"stock/slipway.yaml": `apiVersion: slipway.dev/v1
kind: Service
metadata: {name: stock, owner: team-stock}
consumes: {orders.created.v1: {retry: {delays: [1s, 30s]}}}
`,
		"external.yaml": `apiVersion: slipway.dev/v1
kind: External
topics: {orders.created.v1: {}}
`,
		"clusters.yaml": fmt.Sprintf(`apiVersion: slipway.dev/v1
kind: Clusters
clusters:
  test: {id: %q, bootstrap: {scram: %q, mtls: "127.0.0.1:1"}, ca: {file: ca.crt}}
environments:
  prod: {default: test}
`, f.clusterID(), strings.Join(c.Bootstrap(), ","))})
	vars := map[string]string{"SLIPWAY_SASL_USER": c.Admin().User, "SLIPWAY_SASL_PASSWORD_FILE": filepath.Join(f.dir, "password")}
	f.getenv = func(name string) string { return vars[name] }
	f.create(stockSource, 2)
	f.create(stockRetry, 2)
	ago := time.Now().Add(-time.Hour)
	f.produce(stockSource, ago, ago.Add(time.Minute), ago.Add(2*time.Minute), ago.Add(3*time.Minute))
	f.produce(stockRetry, ago, ago)
	return f
}

func (f *groupFixture) connect(opts ...kgo.Opt) *kgo.Client {
	f.Helper()
	client, err := kgo.NewClient(append(f.opts, opts...)...)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(client.Close)
	return client
}

func (f *groupFixture) clusterID() string {
	f.Helper()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(f.Context(), f.client)
	if err != nil {
		f.Fatal(err)
	}
	return *resp.ClusterID
}

func (f *groupFixture) create(topic string, partitions int32) {
	f.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, partitions, 1
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(f.Context(), f.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		f.Fatal(err)
	}
}

// produce appends records to the first partition.
func (f *groupFixture) produce(topic string, times ...time.Time) {
	f.Helper()
	for _, at := range times {
		r := &kgo.Record{Topic: topic, Value: []byte("x"), Timestamp: at}
		if err := f.client.ProduceSync(f.Context(), r).FirstErr(); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *groupFixture) slipway(args ...string) result {
	return runWith(f.Context(), f.getenv, append(append([]string{"group"}, args...), "--dir", f.dir)...)
}

// seek moves the group, and must succeed.
func (f *groupFixture) seek(args ...string) string {
	f.Helper()
	undo := filepath.Join(f.TempDir(), "undo.json")
	got := f.slipway(append([]string{"seek", stockGroup, "-y", "--undo", undo}, args...)...)
	if got.status != 0 {
		f.Fatalf("seek %q: status %d\n%s%s", args, got.status, got.out, got.err)
	}
	return undo
}

func (f *groupFixture) require(got result, status int, want ...string) {
	f.Helper()
	if got.status != status {
		f.Errorf("status %d, want %d\n%s%s", got.status, status, got.out, got.err)
	}
	for _, w := range want {
		if !strings.Contains(got.out+got.err, w) {
			f.Errorf("no %q in\n%s%s", w, got.out, got.err)
		}
	}
}

// join makes a member of the group that holds partitions, until it leaves.
func (f *groupFixture) join() (leave func()) {
	f.Helper()
	member := f.connect(kgo.ConsumerGroup(stockGroup), kgo.ConsumeTopics(stockSource), kgo.ClientID("stock-7"),
		kgo.DisableAutoCommit(), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if fetches := member.PollFetches(f.Context()); fetches.Err() != nil {
		f.Fatal(fetches.Err())
	}
	return member.Close
}

func TestAGroupsLagSaysWhoReadsAndHowLongRecordsWait(t *testing.T) {
	t.Parallel()
	f := stockroom(t)
	f.seek("--topic", stockSource, "--partition", "0", "--to", "1")
	f.seek("--topic", stockRetry, "--to", "earliest")
	f.require(f.slipway("lag"), 0, "svc-stock-prod  STOP  lag 3  retry 2, the oldest for 1h0m", "  (classic Empty)",
		"orders.created.v1: 2 partitions, nobody reads them", "STOP", "59m", "retry")
	f.require(f.slipway("lag", "--exit-code"), 2)
	leave := f.join()
	defer leave()
	f.require(f.slipway("lag", stockGroup, "-o", "wide"), 0, "2 partitions over 1 member: 2", "stock-7", "127.0.0.1", "committed", "start")
	var doc struct {
		Kind   string
		Groups []group.Report
	}
	got := f.slipway("lag", stockGroup, "-o", "json")
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil || doc.Kind != "GroupLag" || doc.Groups[0].Lag != 3 {
		t.Errorf("%v, document %+v", err, doc)
	}
}

func TestAWatchLooksAgainUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	f := stockroom(t)
	f.seek("--topic", stockSource, "--to", "1")
	ctx, cancel := context.WithCancel(t.Context())
	out := &countdown{word: stockGroup, left: 3, done: cancel}
	var errs bytes.Buffer
	status := cli.Main(ctx, []string{"group", "lag", "--dir", f.dir, "--watch", "--every", "1ms"},
		cli.System{In: strings.NewReader(""), Out: out, Err: &errs, Getenv: f.getenv})
	if status != 130 || out.left > 0 {
		t.Errorf("status %d, %d looks missing: %s", status, out.left, errs.String())
	}
}

// A countdown calls done when a word was written so many times.
type countdown struct {
	word string
	left int
	done func()
}

func (c *countdown) Write(text []byte) (int, error) {
	if strings.Contains(string(text), c.word) {
		if c.left--; c.left == 0 {
			c.done()
		}
	}
	return len(text), nil
}

func TestASeekIsShownRefusedUnderMembersMadeAndUndone(t *testing.T) {
	t.Parallel()
	f := stockroom(t)
	f.seek("--topic", stockSource, "--to", "3")
	f.seek("--topic", stockRetry, "--to", "earliest")

	leave := f.join()
	f.require(f.slipway("seek", stockGroup, "--to", "-1h", "-y"), 3, "SLP-GRP-002", "stock-7 on 127.0.0.1", "holds orders.created.v1 0,1")
	f.require(f.slipway("seek", stockGroup, "--to", "1", "--dry-run"), 3, "SLP-GRP-002", "2 repeated")
	leave()

	f.require(f.slipway("seek", stockGroup, "--to", "1", "--dry-run"), 0,
		"records skipped: 0, repeated: 2", "are not handled again; with --reset-retry they are")
	f.require(f.slipway("seek", stockGroup, "--to", "1", "--dry-run", "--reset-retry"), 0, "2 records are left there and not handled", "retry state is reset")
	f.require(f.slipway("seek", stockGroup, "--to", "latest", "--dry-run"), 0, "records skipped: 1", "up to 2 records that wait in "+stockRetry+" still run")
	f.require(f.slipway("seek", stockGroup, "--topic", "no.v1", "--to", "latest"), 1, "SLP-GRP-006")

	undo := f.seek("--to", "1")
	f.require(f.slipway("lag"), 0, "lag 3")
	f.require(f.slipway("restore", undo, "-y", "--undo", filepath.Join(t.TempDir(), "redo.json")), 0, "Done: group svc-stock-prod was moved in 1 partition")
	f.require(f.slipway("lag"), 0, "lag 1")
}

func TestASeekAsksAtATerminal(t *testing.T) {
	t.Parallel()
	f := stockroom(t)
	undo := filepath.Join(t.TempDir(), "undo.json")
	ask := func(answer string) result {
		var out, errs bytes.Buffer
		status := cli.Main(t.Context(), []string{"group", "seek", stockGroup, "--dir", f.dir, "--topic", stockSource, "--to", "2", "--undo", undo},
			cli.System{In: strings.NewReader(answer), Out: &out, Err: &errs, Getenv: f.getenv, Terminal: true})
		return result{status, out.String(), errs.String()}
	}
	f.require(ask("y\n"), 3, "SLP-CLI-004", "Move group svc-stock-prod on cluster")
	if _, err := os.Stat(undo); err == nil {
		t.Error("an undo was written for what was not done")
	}
	f.require(ask("yes\n"), 0, "Done: ", "undo: slipway group restore "+undo)
}

func TestADrainWaitsForRetriesAndForTheServiceToStop(t *testing.T) {
	t.Parallel()
	f := stockroom(t)
	f.seek("--topic", stockSource, "--to", "3")
	f.seek("--topic", stockRetry, "--to", "1")
	f.require(f.slipway("drain", stockGroup, "--dry-run"), 3, "SLP-GRP-008", "up to 1 record waits in "+stockRetry)
	f.require(f.slipway("drain", stockGroup, "--timeout", "3s", "--every", "100ms"), 1, "SLP-CLI-", "nobody works them off")

	f.seek("--topic", stockRetry, "--to", "latest")
	watch := &countdown{word: "stop the service", left: 1, done: f.join()}
	status := cli.Main(t.Context(), []string{"group", "drain", stockGroup, "--dir", f.dir, "--every", "10ms", "-y", "--undo", filepath.Join(t.TempDir(), "undo.json")},
		cli.System{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: watch, Getenv: f.getenv})
	if status != 0 || watch.left > 0 {
		t.Errorf("status %d, want 0 after the service was stopped", status)
	}
}
